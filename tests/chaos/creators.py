"""Clients that create images until they are told to stop, and what they were answered."""

import contextlib
import threading

import harness


class Creator(threading.Thread):
    def __init__(self, server, stopping):
        super().__init__()
        self.client = harness.Client(server, server.clouds()["demo"])
        self.stopping = stopping
        self.made, self.refused = [], []  # ids, statuses

    def run(self):
        while not self.stopping.is_set():
            answer = self.client.post("/v2/images", {"name": "made"})
            if answer.status == 201:
                self.made.append(answer.json()["id"])
            else:
                self.refused.append(answer.status)


@contextlib.contextmanager
def at_work(server, count):
    """That many of them, until the end of the block."""
    stopping = threading.Event()
    creators = [Creator(server, stopping) for _ in range(count)]
    for creator in creators:
        creator.start()
    try:
        yield creators
    finally:
        stopping.set()
        for creator in creators:
            creator.join()


def wait_for_more(creators, kind):
    """Until each has one more of `kind`, made or refused."""
    seen = [len(getattr(creator, kind)) for creator in creators]
    harness.wait_until(lambda: all(len(getattr(creator, kind)) > before
                                   for creator, before in zip(creators, seen)),
                       what=f"more images {kind}")
