import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/** See exchange.h: the same with a selector of java.nio. */
public class Loop {
    static final long LIMIT = Long.parseLong(System.getenv().getOrDefault("LIMIT", "30000"));
    static final int TICKS = Integer.parseInt(System.getenv().getOrDefault("TICKS", "0"));
    static final long TICK = 10;

    static Selector selector;
    static int remaining;

    static class Exchange {
        final String host;
        final SocketChannel channel;
        final StringBuilder text = new StringBuilder();
        boolean isOver;

        Exchange(String host, int port) throws IOException {
            this.host = host;
            remaining++;
            channel = SocketChannel.open();
            channel.configureBlocking(false);
            try {
                boolean isConnected = channel.connect(new InetSocketAddress(host, port));
                SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT, this);
                if (isConnected) speak(key);
            } catch (IOException error) {
                end(error.getMessage());
            }
        }

        void end(String error) throws IOException {
            if (isOver) throw new IllegalStateException();
            isOver = true;
            remaining--;
            channel.close();
            if (error != null) {
                text.setLength(0);
                text.append(error).append('\n');
            }
        }

        void speak(SelectionKey key) throws IOException {
            channel.write(ByteBuffer.wrap((host + "\n").getBytes()));
            channel.shutdownOutput();
            key.interestOps(SelectionKey.OP_READ);
        }

        void handle(SelectionKey key) throws IOException {
            try {
                if (key.isConnectable()) {
                    if (channel.finishConnect()) speak(key);
                    return;
                }
                ByteBuffer part = ByteBuffer.allocate(256);
                if (channel.read(part) < 0) {
                    end(null);
                } else {
                    text.append(new String(part.array(), 0, part.position()));
                }
            } catch (IOException error) {
                end(error.getMessage());
            }
        }
    }

    static int handle(long time) throws IOException {
        int ready = selector.select(time);
        for (SelectionKey key : selector.selectedKeys()) ((Exchange) key.attachment()).handle(key);
        selector.selectedKeys().clear();
        return ready;
    }

    public static void main(String[] targets) throws IOException {
        selector = Selector.open();
        List<Exchange> exchanges = new ArrayList<>();
        int late = TICKS > 0 ? 2 : 0;
        long longest = 0;
        for (int index = 0; index < targets.length; index += 2) {
            if (index >= targets.length - 2 * late) {
                for (int tick = 0; tick < TICKS; tick++) {
                    long begin = System.nanoTime(), left;
                    while ((left = TICK - (System.nanoTime() - begin) / 1000000) > 0) handle(left);
                    longest = Math.max(longest, System.nanoTime() - begin - TICK * 1000000);
                }
            }
            exchanges.add(new Exchange(targets[index], Integer.parseInt(targets[index + 1])));
        }
        while (remaining > 0) {
            if (handle(LIMIT) > 0) continue;
            for (Exchange exchange : exchanges) if (!exchange.isOver) exchange.end("nothing is ready");
        }
        for (Exchange exchange : exchanges) System.out.print(exchange.text);
        if (TICKS > 0) System.err.printf("held up for %.1f ms at most%n", longest / 1e6);
    }
}
