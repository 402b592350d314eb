"""Answers Nova's questions to the network API with "there is nothing".

usage: no_network.py PORT

Nova asks for ports and security groups whenever a server is shown, even one without a network.
"""

import http.server
import json
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        parts = [part for part in self.path.split("?")[0].split("/") if part]
        if not parts:
            links = [{"rel": "self", "href": f"http://{self.headers['Host']}/v2.0/"}]
            return self.answer(200, {"versions": [{"id": "v2.0", "status": "CURRENT",
                                                   "links": links}]})
        if len(parts) == 1:
            return self.answer(200, {"resources": []})
        if len(parts) == 2:
            kind = parts[1].split(".")[0].replace("-", "_")
            return self.answer(200, {kind: []})
        return self.answer(404, {"NeutronError": {"type": "NotFound", "message": "not found",
                                                  "detail": ""}})

    def do_POST(self):
        self.answer(409, {"NeutronError": {"type": "Conflict", "message": "no networks here",
                                           "detail": ""}})

    do_PUT = do_DELETE = do_POST

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
