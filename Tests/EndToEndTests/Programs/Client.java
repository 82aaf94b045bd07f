import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Asks for each URL by HttpClient, which does not block, and by a socket, which does. */
public class Client {
    public static void main(String[] urls) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        for (String text : urls) {
            URI url = URI.create(text);
            try {
                System.out.print(client.send(
                        HttpRequest.newBuilder(url).build(), HttpResponse.BodyHandlers.ofString()).body());
                String host = url.getHost().replaceAll("[\\[\\]]", "");
                try (Socket socket = new Socket(host, url.getPort())) {
                    String request = "GET " + url.getPath() + " HTTP/1.0\r\nHost: " + url.getAuthority() + "\r\n\r\n";
                    socket.getOutputStream().write(request.getBytes());
                    String answer = new String(socket.getInputStream().readAllBytes());
                    System.out.print(answer.substring(answer.indexOf("\r\n\r\n") + 4));
                }
            } catch (IOException error) {
                // Its causes tell whether connect(2) or SO_ERROR gave the error, which may differ.
                System.out.println(error.getClass().getName());
            }
        }
    }
}
