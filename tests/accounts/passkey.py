"""A device with passkeys, as a browser would ask it; for what no browser sends, too."""

import json
import os
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

FLAG = AuthenticatorData.FLAG


class Passkey:
    """One key on a device. `origin` is the page's that asks; `verifies`: the device asks for PIN or finger."""

    def __init__(self, origin: str = "https://localhost", *, verifies: bool = True) -> None:
        self.origin, self.verifies = origin, verifies
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)
        self.user = b""

    def created(self, options: dict[str, Any]) -> str:
        """What the browser says after navigator.credentials.create."""
        asked = options["publicKey"]
        self.user = websafe_decode(asked["user"]["id"])
        public = ES256.from_cryptography_key(self.key.public_key())
        attested = AttestedCredentialData.create(b"\0" * 16, self.id, public)
        data = AuthenticatorData.create(self._rp(asked["rp"]["id"]), self._flags() | FLAG.AT, 0, attested)
        response = {
            "clientDataJSON": self._client_data("webauthn.create", asked["challenge"]),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        }
        return self._told(response)

    def got(self, options: dict[str, Any]) -> str:
        """What the browser says after navigator.credentials.get."""
        asked = options["publicKey"]
        client = self._client_data("webauthn.get", asked["challenge"])
        data = AuthenticatorData.create(self._rp(asked["rpId"]), self._flags(), 1)
        signed = bytes(data) + sha256(websafe_decode(client)).digest()
        response = {
            "clientDataJSON": client,
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(self.key.sign(signed, ec.ECDSA(SHA256()))),
            "userHandle": websafe_encode(self.user),
        }
        return self._told(response)

    def _told(self, response: dict[str, str]) -> str:
        name = websafe_encode(self.id)
        said = {"type": "public-key", "id": name, "rawId": name, "response": response, "clientExtensionResults": {}}
        return json.dumps(said)

    def _client_data(self, kind: str, challenge: str) -> str:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return websafe_encode(json.dumps(said).encode())

    def _flags(self) -> AuthenticatorData.FLAG:
        return FLAG.UP | FLAG.UV if self.verifies else FLAG.UP

    @staticmethod
    def _rp(name: str) -> bytes:
        return sha256(name.encode()).digest()


def of_nobody() -> list[Any]:
    """What is no credential."""
    deep: Any = "[" * 5000
    return [
        *("", "x", "{", "null", "[]", "1", '"a"', "{}", deep, f"[{'1' * 5000}]", "{" * 3 + '"a":1' + "}" * 3),
        json.dumps({"id": "a", "rawId": "a", "response": {}, "type": "public-key"}),
        json.dumps({"id": "a", "rawId": "a", "response": [], "type": "public-key"}),
        json.dumps({"id": 1, "rawId": 2, "response": {"userHandle": 3}, "type": "public-key"}),
        json.dumps(
            {
                "id": "YWI",
                "rawId": "YWI",
                "type": "public-key",
                "response": {
                    "clientDataJSON": websafe_encode(b"{}"),
                    "authenticatorData": websafe_encode(b"\0" * 40),
                    "attestationObject": websafe_encode(cbor.encode({"fmt": "none"})),
                    "signature": "YWI",
                    "userHandle": websafe_encode(b"\xff\xfe"),
                },
            }
        ),
        json.dumps({"id": "a" * 30_000}),
    ]
