/* See exchange.h: the same with GSocketClient of GLib. */
#include "exchange.h"

#include <gio/gio.h>

static GMainLoop *loop;

static void end(struct exchange *exchange, GError *error) {
    end_exchange(exchange, error ? error->message : NULL);
    if (remaining == 0) g_main_loop_quit(loop);
}

static void on_read(GObject *source, GAsyncResult *result, gpointer given) {
    struct exchange *exchange = given;
    GError *error = NULL;
    GBytes *part = g_input_stream_read_bytes_finish(G_INPUT_STREAM(source), result, &error);
    if (error || g_bytes_get_size(part) == 0) return end(exchange, error);
    add_text(exchange, g_bytes_get_data(part, NULL), g_bytes_get_size(part));
    g_input_stream_read_bytes_async(G_INPUT_STREAM(source), 256, 0, NULL, on_read, exchange);
}

static void on_written(GObject *source, GAsyncResult *result, gpointer given) {
    struct exchange *exchange = given;
    GError *error = NULL;
    GSocketConnection *connection = g_object_get_data(source, "connection");
    if (!g_output_stream_write_all_finish(G_OUTPUT_STREAM(source), result, NULL, &error) ||
        !g_socket_shutdown(g_socket_connection_get_socket(connection), FALSE, TRUE, &error)) {
        return end(exchange, error);
    }
    GInputStream *input = g_io_stream_get_input_stream(G_IO_STREAM(connection));
    g_input_stream_read_bytes_async(input, 256, 0, NULL, on_read, exchange);
}

static void on_connected(GObject *source, GAsyncResult *result, gpointer given) {
    struct exchange *exchange = given;
    GError *error = NULL;
    GSocketConnection *connection = g_socket_client_connect_to_host_finish(G_SOCKET_CLIENT(source), result, &error);
    if (!connection) return end(exchange, error);
    GOutputStream *output = g_io_stream_get_output_stream(G_IO_STREAM(connection));
    g_object_set_data(G_OBJECT(output), "connection", connection);
    char *line = g_strdup_printf("%s\n", exchange->host);
    g_output_stream_write_all_async(output, line, strlen(line), 0, NULL, on_written, exchange);
}

int main(int argc, char **argv) {
    read_arguments(argc, argv);
    loop = g_main_loop_new(NULL, FALSE);
    GSocketClient *client = g_socket_client_new();
    g_socket_client_set_enable_proxy(client, FALSE);
    /* GLib's timeouts are in seconds. */
    g_socket_client_set_timeout(client, (limit() + 999) / 1000);
    for (int index = 0; index < count; index++) {
        struct exchange *exchange = &exchanges[index];
        g_socket_client_connect_to_host_async(
            client, exchange->host, atoi(exchange->port), NULL, on_connected, exchange);
    }
    g_main_loop_run(loop);
    print_results();
}
