import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Asks for all URLs at once by HttpClient, which waits LIMIT milliseconds for each connection. */
public class Clients {
    public static void main(String[] urls) throws Exception {
        long limit = Long.parseLong(System.getenv().getOrDefault("LIMIT", "30000"));
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofMillis(limit)).build();
        List<CompletableFuture<HttpResponse<String>>> answers = Stream.of(urls)
                .map(url -> client.sendAsync(
                        HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString()))
                .collect(Collectors.toList());
        for (CompletableFuture<HttpResponse<String>> answer : answers) {
            try {
                System.out.print(answer.join().body());
            } catch (CompletionException error) {
                // Its message says whether connect(2) or SO_ERROR gave the error, which may differ.
                System.out.println(error.getCause().getClass().getSimpleName());
            }
        }
    }
}
