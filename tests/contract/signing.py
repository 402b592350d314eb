"""Signs requests with an access key, in both forms that clients make (contract: ims-api 2.7).

Written from the contract alone, so that it shares no mistake with the program.
"""

import datetime
import hashlib
import hmac
import subprocess
import urllib.parse

import harness

ALGORITHM = "SDK-HMAC-SHA256"


def sha256(data):
    return hashlib.sha256(data or b"").hexdigest()


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def stamp(seconds=0):
    """X-Sdk-Date, so many seconds from now."""
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y%m%dT%H%M%SZ")


class Key:
    """An access key with its secret; `chained` makes form B."""

    def __init__(self, access, secret, project_id=None, chained=False):
        self.access, self.secret, self.project_id = access, secret, project_id
        self.chained = chained

    def headers(self, host, method, path, body=None, *, date=None, payload=None, extra=None):
        """Those of a request, with its signature; `payload` stands for the hash of the body."""
        date = date or stamp()
        path, _, query = path.partition("?")
        sent = {"Host": host, "X-Sdk-Date": date, **(extra or {})}
        if payload:
            sent["X-Sdk-Content-Sha256"] = payload
        folded = {name.lower(): value for name, value in sent.items()}
        names = sorted(folded)
        pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
        canonical = "\n".join([
            method, urllib.parse.quote(urllib.parse.unquote(path).rstrip("/") + "/", safe="/~"),
            "&".join(f"{urllib.parse.quote(key, safe='~')}={urllib.parse.quote(value, safe='~')}"
                     for key, value in pairs),
            "".join(f"{name}:{folded[name]}\n" for name in names), ";".join(names),
            payload or sha256(body)])
        lines, key, who = [ALGORITHM, date], self.secret.encode(), f"Access={self.access}"
        if self.chained:
            scope = f"{date[:8]}///sdk_request"
            lines.append(scope)
            key = ("SDK" + self.secret).encode()
            for part in scope.split("/"):
                key = mac(key, part)
            who = f"Credential={self.access}/{scope}"
        signature = mac(key, "\n".join([*lines, sha256(canonical.encode())])).hex()
        sent["Authorization"] = (f"{ALGORITHM} {who}, SignedHeaders={';'.join(names)}, "
                                 f"Signature={signature}")
        return sent


class Signed(harness.Client):
    """A client without a token that signs each request."""

    def __init__(self, server, key):
        super().__init__(server)
        self.key, self.project_id = key, key.project_id

    def request(self, method, path, *, json=None, body=None, headers=None, token=True, **options):
        if json is not None:
            body = harness.dump(json)
            body = body.encode() if isinstance(body, str) else body
            headers = {"Content-Type": "application/json", **(headers or {})}
        signed = self.key.headers("{}:{}".format(*self.server.address), method, path, body,
                                  extra=headers, **options)
        return super().request(method, path, body=body, headers=signed, token=False)


def command(server, *arguments):
    """`vitrine identity access-key …`."""
    outcome = subprocess.run(
        [str(harness.BINARY), "identity", "access-key", *arguments, "--standalone",
         str(server.directory)],
        capture_output=True, text=True, check=False, timeout=60, env={**server.environment})
    return outcome.returncode, outcome.stdout + outcome.stderr


def make_key(client, project_id=None, chained=False):
    """A new access key of the client's own, made by its token."""
    made = client.post(f"/v3/users/{client.user_id}/credentials/OS-EC2",
                       {"tenant_id": project_id or client.project_id}).expect(201)
    credential = made.json()["credential"]
    return Key(credential["access"], credential["secret"], credential["tenant_id"], chained)
