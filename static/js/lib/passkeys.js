// What WebAuthn takes and gives as JSON: bytes are base64url. Browsers learned this by themselves only lately.

/** Bytes of base64url. */
export function toBytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

/** base64url of an ArrayBuffer, without padding. */
export function toText(buffer) {
  const plain = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const named = (list) => list?.map((one) => ({ ...one, id: toBytes(one.id) }));

/** Options of navigator.credentials.create; `alone`: the passkey is found without a name, and asks who uses it. */
export function creating({ publicKey }, alone) {
  const kept = { residentKey: alone ? "required" : "discouraged", requireResidentKey: alone };
  return {
    publicKey: {
      ...publicKey,
      challenge: toBytes(publicKey.challenge),
      user: { ...publicKey.user, id: toBytes(publicKey.user.id) },
      excludeCredentials: named(publicKey.excludeCredentials),
      authenticatorSelection: { ...publicKey.authenticatorSelection, ...kept, ...(alone && { userVerification: "required" }) },
    },
  };
}

/** Options of navigator.credentials.get. */
export function asking({ publicKey }) {
  const allowed = named(publicKey.allowCredentials);
  return { publicKey: { ...publicKey, challenge: toBytes(publicKey.challenge), ...(allowed && { allowCredentials: allowed }) } };
}

/** A credential as the server reads it. */
export function told(credential) {
  const { response } = credential;
  const bytes = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const parts = bytes.filter((name) => response[name]).map((name) => [name, toText(response[name])]);
  return {
    type: credential.type,
    id: credential.id,
    rawId: toText(credential.rawId),
    authenticatorAttachment: credential.authenticatorAttachment,
    response: { ...Object.fromEntries(parts), ...(response.getTransports && { transports: response.getTransports() }) },
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}
