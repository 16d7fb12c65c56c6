"""What may stand between a browser and a coordinator: a forwarded port, and a proxy that shows the pages below a path."""

import contextlib
import http.client
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextlib.contextmanager
def relay(port):
    """A port that leads to another one, as `ssh -L` makes it; answers the address of the pages there."""

    class Connection(socketserver.BaseRequestHandler):
        def handle(self):
            with socket.create_connection(("127.0.0.1", port)) as other:
                threading.Thread(target=pour, args=(other, self.request), daemon=True).start()
                pour(self.request, other)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with served(Server(("127.0.0.1", 0), Connection)) as own:
        yield f"http://localhost:{own}/"


def pour(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxy_below_a_path(port, path):
    """A server that shows another one's pages below a path, and nothing else; answers their address."""

    class Request(BaseHTTPRequestHandler):
        def do_GET(self):
            self.forward()

        def do_POST(self):
            self.forward(self.rfile.read(int(self.headers["content-length"])))

        def forward(self, body=None):
            if not self.path.startswith(path + "/"):
                self.send_error(404, "nothing is here")
                return
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request(self.command, self.path.removeprefix(path), body, dict(self.headers))
            answer = connection.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            self.end_headers()
            # Who goes away first ends it.
            with contextlib.suppress(OSError, http.client.HTTPException):
                # Events have to pass as they come.
                while data := answer.read1(1 << 16):
                    self.wfile.write(data)
                    self.wfile.flush()

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
    server.daemon_threads, server.block_on_close = True, False
    with served(server) as own:
        yield f"http://127.0.0.1:{own}{path}/"


@contextlib.contextmanager
def served(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
