import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** PORT HOST...: what exchange.mjs does, by DatagramSocket, by a channel that blocks, and by one that does not. */
public class Exchange {
    /** A way to send and to receive. */
    interface Way extends AutoCloseable {
        void send(byte[] data) throws IOException;

        /** Receives into the buffer, and gives the sender. */
        InetSocketAddress receive(ByteBuffer buffer) throws IOException;

        void close() throws IOException;
    }

    static class Blocking implements Way {
        private final DatagramSocket socket = new DatagramSocket();
        private final InetSocketAddress target;

        Blocking(InetSocketAddress target) throws IOException {
            this.target = target;
            socket.setSoTimeout(20_000);
        }

        public void send(byte[] data) throws IOException {
            socket.send(new DatagramPacket(data, data.length, target));
        }

        public InetSocketAddress receive(ByteBuffer buffer) throws IOException {
            DatagramPacket packet = new DatagramPacket(buffer.array(), buffer.capacity());
            socket.receive(packet);
            buffer.position(packet.getLength());
            return (InetSocketAddress) packet.getSocketAddress();
        }

        public void close() {
            socket.close();
        }
    }

    static class Channel implements Way {
        private final DatagramChannel channel = DatagramChannel.open();
        private final Selector selector = Selector.open();
        private final InetSocketAddress target;

        Channel(InetSocketAddress target, boolean blocks) throws IOException {
            this.target = target;
            channel.configureBlocking(blocks);
            if (blocks) channel.connect(target);
            else channel.register(selector, SelectionKey.OP_READ);
        }

        public void send(byte[] data) throws IOException {
            ByteBuffer buffer = ByteBuffer.wrap(data);
            int sent = channel.isConnected() ? channel.write(buffer) : channel.send(buffer, target);
            if (sent != data.length) throw new IOException(sent + " bytes sent");
        }

        public InetSocketAddress receive(ByteBuffer buffer) throws IOException {
            while (true) {
                InetSocketAddress source = (InetSocketAddress) channel.receive(buffer);
                if (source != null) return source;
                if (selector.select(20_000) == 0) throw new IOException("nothing is ready");
                selector.selectedKeys().clear();
            }
        }

        public void close() throws IOException {
            channel.close();
            selector.close();
        }
    }

    private static int count;
    private static int bytes;

    private static void receive(Way way, InetSocketAddress target, Set<String> expected) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(65_536);
        InetSocketAddress source = way.receive(buffer);
        if (!source.getAddress().equals(target.getAddress()) || source.getPort() != target.getPort())
            throw new IOException("from " + source);
        if (!expected.remove(new String(buffer.array(), 0, buffer.position())))
            throw new IOException(buffer.position() + " bytes that were not sent");
        count += 1;
        bytes += buffer.position();
    }

    private static void exchange(Way way, InetSocketAddress target) throws IOException {
        count = bytes = 0;
        try (way) {
            // A channel's write() sends no empty datagram.
            for (int size : new int[] {1, 1200, 9000}) {
                String data = "s".repeat(size);
                way.send(data.getBytes());
                receive(way, target, new HashSet<>(Set.of(data)));
            }
            Set<String> expected = new HashSet<>();
            for (int number = 0; number < 20; number++) expected.add(number + "t".repeat(500 - (number < 10 ? 1 : 2)));
            for (String data : expected.toArray(new String[0])) way.send(data.getBytes());
            while (!expected.isEmpty()) receive(way, target, expected);
        }
    }

    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(arguments[0]);
        for (int index = 1; index < arguments.length; index++) {
            InetSocketAddress target = new InetSocketAddress(arguments[index], port);
            for (Way way : List.of(new Blocking(target), new Channel(target, true), new Channel(target, false))) {
                exchange(way, target);
                System.out.println(arguments[index] + " " + count + " " + bytes);
            }
        }
    }
}
