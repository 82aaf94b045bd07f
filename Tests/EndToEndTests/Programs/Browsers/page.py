"""A page of many parts, at HOST PORT: a hundred scripts, each of which counts, and a WebSocket (RFC 6455), by which a
word goes there and back. When all is there, the page says "done 100 hello"."""
import base64
import hashlib
import http.server
import socketserver
import sys

PARTS = 100
SCRIPT = """
const socket = new WebSocket("ws://" + location.host + "/socket"), text = document.getElementById("text");
socket.onopen = () => socket.send("hello");
socket.onmessage = message => { text.textContent = "done " + window.parts + " " + message.data; };
socket.onerror = () => { text.textContent = "no socket"; };
"""
PAGE = (
    "<!doctype html><html><head>"
    + "".join(f'<script src="/part{number}.js"></script>' for number in range(PARTS))
    + f'</head><body><p id="text">loading</p><script>{SCRIPT}</script></body></html>'
)
KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        if self.path == "/socket":
            return self.echo()
        script = self.path.startswith("/part")
        body = (b"window.parts = (window.parts || 0) + 1;" if script else PAGE.encode())
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def echo(self):
        accepted = base64.b64encode(hashlib.sha1((self.headers["Sec-WebSocket-Key"] + KEY).encode()).digest())
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accepted.decode())
        self.end_headers()
        # One short message, masked by the client.
        length = self.rfile.read(2)[1] & 127
        mask, masked = self.rfile.read(4), self.rfile.read(length)
        text = bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked))
        self.wfile.write(bytes([0x81, len(text)]) + text)
        self.rfile.read(1)
        self.close_connection = True


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 512


Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
