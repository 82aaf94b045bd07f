"""A web server at HOST PORT for large files: GET /N gives N bytes, PUT answers with the SHA-256 of what it got."""

import hashlib
import http.server
import sys

PIECE = bytes(range(256)) * 256


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, length):
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def do_GET(self):
        left = int(self.path[1:])
        self.answer(left)
        while left > 0:
            left -= self.wfile.write(PIECE[:left])

    def do_PUT(self):
        left, digest = int(self.headers["Content-Length"]), hashlib.sha256()
        if self.headers.get("Expect"):
            self.send_response_only(100)
            self.end_headers()
        while left > 0:
            some = self.rfile.read(min(left, 65536))
            left -= len(some)
            digest.update(some)
        text = digest.hexdigest().encode()
        self.answer(len(text))
        self.wfile.write(text)


http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
