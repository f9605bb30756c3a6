"""What an issuer says is believed only when it holds: against one that lies in every way."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from joserfc import jws, jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr

from atoll.errors import NotAuthenticated, Unavailable
from atoll.providers.oidc import OidcIssuer, OidcOptions

NONCE = "n" * 43
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER = RSAKey.generate_key(2048, {"kid": "two"})
STRANGER = RSAKey.generate_key(2048, {"kid": "one"})


class Liar:
    """An issuer whose every answer a test can change."""

    def __init__(self):
        self.keys, self.asked, self.userinfo, self.metadata = [KEY], [], {}, {}
        self.token = ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                answers = {
                    "/.well-known/openid-configuration": outer.discovery,
                    "/keys": lambda: {"keys": [key.as_dict(private=False) for key in outer.keys]},
                    "/userinfo": lambda: outer.userinfo,
                }
                self.answer(answers[self.path]())

            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                self.answer({"access_token": "at", "id_token": outer.token})

            def answer(self, body):
                text = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def discovery(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **self.metadata,
        }

    def claims(self, **changes):
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "aud": "atoll",
            "sub": "s1",
            "exp": now + 300,
            "iat": now,
            "nonce": NONCE,
            "preferred_username": "ada",
            "groups": ["science"],
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def sign(self, key=KEY, alg="RS256", kid="one", **changes):
        self.token = jwt.encode({"alg": alg, "kid": kid}, self.claims(**changes), key, algorithms=[alg])


@pytest.fixture
def liar():
    liar = Liar()
    yield liar
    liar.server.shutdown()
    liar.server.server_close()


def issuer(liar, **more):
    options = {"issuer": liar.issuer, "client_id": "atoll", "client_secret": SecretStr("s" * 40), **more}
    return OidcIssuer(OidcOptions(**options))


def redeem(one):
    return one.redeem(code="c", code_verifier="v" * 43, nonce=NONCE, redirect_uri="https://here/callback")


def test_a_token_that_holds(liar):
    liar.sign()
    found = redeem(issuer(liar))
    assert (found.login, found.groups, found.subject) == ("ada", ("science",), f"{liar.issuer}|s1")
    liar.sign(aud=["atoll", "other"], azp="atoll")
    assert redeem(issuer(liar)).login == "ada"


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"aud": []},
        {"aud": ["atoll", "other"]},
        {"aud": ["atoll", "other"], "azp": "other"},
        {"azp": "other"},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": int(time.time()) + 3600},
        {"iat": None},
        {"nbf": int(time.time()) + 3600},
        {"nonce": "x" * 43},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
    ],
)
def test_a_claim_that_does_not_hold(liar, lie):
    liar.sign(**lie)
    with pytest.raises(NotAuthenticated):
        redeem(issuer(liar))


def test_a_token_that_the_issuer_did_not_sign(liar):
    liar.sign(key=STRANGER)
    with pytest.raises(NotAuthenticated):
        redeem(issuer(liar))
    liar.sign()
    head, body, _ = liar.token.split(".")
    for forged in (f"{head}.{body}.", f"{head}.{body}", f"{head}.{body}.AAAA", "", "..", "not a token"):
        liar.token = forged
        with pytest.raises(NotAuthenticated):
            redeem(issuer(liar))


def test_no_signature_and_the_client_s_own_secret_are_no_signature_of_the_issuer(liar):
    payload = json.dumps(liar.claims()).encode()
    liar.token = jws.serialize_compact(
        {"alg": "none", "kid": "one"}, payload, OctKey.import_key("x"), algorithms=["none"]
    )
    with pytest.raises(NotAuthenticated):
        redeem(issuer(liar))
    for secret in (b"s" * 40, KEY.as_pem(private=False)):
        try:
            key = OctKey.import_key(secret)
        except ValueError:
            # The library itself refuses a public key as a shared secret.
            continue
        liar.token = jws.serialize_compact({"alg": "HS256", "kid": "one"}, payload, key, algorithms=["HS256"])
        with pytest.raises(NotAuthenticated):
            redeem(issuer(liar))


def test_an_unknown_key_is_asked_for_once(liar):
    one = issuer(liar)
    liar.sign()
    redeem(one)
    assert liar.asked.count("/keys") == 1
    liar.keys = [OTHER]
    liar.sign(key=OTHER, kid="two")
    assert redeem(one).login == "ada"
    assert liar.asked.count("/keys") == 2
    liar.sign(key=OTHER, kid="never-heard-of")
    with pytest.raises(NotAuthenticated):
        redeem(one)
    assert liar.asked.count("/keys") == 3


def test_more_claims_are_taken_of_the_same_person_only(liar):
    liar.sign(groups=None)
    liar.userinfo = {"sub": "s2", "groups": ["operators"]}
    with pytest.raises(NotAuthenticated):
        redeem(issuer(liar))
    liar.userinfo = {"sub": "s1", "groups": ["operators"], "preferred_username": "root"}
    found = redeem(issuer(liar))
    # What is signed counts before what is not.
    assert (found.login, found.groups) == ("ada", ("operators",))


def test_groups_may_lie_deep_or_be_too_many(liar):
    liar.sign(groups=None, realm_access={"roles": ["science"]})
    liar.userinfo = {"sub": "s1"}
    assert redeem(issuer(liar, groups_claim="realm_access.roles")).groups == ("science",)
    liar.sign(groups=None, _claim_names={"groups": "src1"})
    with pytest.raises(Unavailable, match="very many"):
        redeem(issuer(liar))
    liar.sign(groups="one")
    assert redeem(issuer(liar)).groups == ("one",)
    liar.sign(groups={"a": 1})
    assert redeem(issuer(liar)).groups == ()


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
        {"userinfo_endpoint": "http://10.0.0.1/"},
    ],
)
def test_an_issuer_that_sends_us_elsewhere(liar, metadata):
    liar.metadata = metadata
    liar.sign()
    with pytest.raises(Unavailable):
        redeem(issuer(liar))
