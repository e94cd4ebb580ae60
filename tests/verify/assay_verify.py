#!/usr/bin/env python3
"""Verifies a case bundle or a mirror of an Assay log: a second implementation, from docs/verification.md alone.

usage: assay_verify.py FILE-OR-DIRECTORY --key KEY [--witness KEY] [--checkpoint FILE] [--json]
needs: Python 3.11, the package `cryptography`, and assay_log.py and assay_zip.py beside this file.
Ends with 0 (holds), 1 (does not hold) or 2 (asked wrongly). RFC 3161 timestamps are not checked here;
everything else is, under the same names as `assay verify` has.
"""

import argparse, base64, hashlib, json, os, struct, sys, uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

sys.dont_write_bytecode = True  # a verifier leaves nothing behind

from assay_log import (NOTE_MAX, No, Note, Report, VerifierKey, continues, decimal, is_hex, is_int, is_uuid, leaf_hash,
                       sha256, unbase64, unbase64url, unjson, verify_consistency, verify_inclusion, verify_mirror, vouch)
from assay_zip import LINE_MAX, Container

BUNDLE = "container manifest signature origin witnesses timestamps older entries order streams keys withheld evidence"
README_SHA256 = "adac7a5bb0de3563404e80496b9eab5e6f0cf413fe38ff1d6a5244ef86e9f296"
ENTRIES_MAX, KEYS_MAX, MANIFEST_MAX = 10_000_000, 1_000_000, 4 << 20
BUNDLE_DOES_NOT_PROVE = [
    "that the case has no later entries, that no stream was left out whole or cut at its end",
    "that what is withheld, or sealed under a key that is not here, is of no importance",
    "that what sources say is true, or who a user id is in the flesh",
    "the time of entries, but for the server's clock",
    "who made the file, when, for whom and why something is withheld: that is the maker's word",
]


FIELDS = ["format", "case", "origin", "log_keys", "size", "root", "as_of", "made_at", "made_by", "recipient", "entries",
          "keys", "withheld", "files"]
ENTRY = ["position", "stream", "revision", "fact", "name", "recorded_at", "actor", "actor_kind", "on_behalf_of", "session",
         "command", "causation", "correlation", "case", "request_mac", "data", "data_sha256", "proof"]
KINDS = {"person": 1, "service": 2, "import": 3, "model": 4}


def read_manifest(box):
    raw = box.read("manifest.json", MANIFEST_MAX)
    m = unjson(raw)
    texts = lambda value, *names: isinstance(value, dict) and list(value) == list(names) and \
        all(isinstance(value[n], str) for n in names if n != "size_bytes")
    if not isinstance(m, dict) or list(m) != [f for f in FIELDS if f != "recipient" or f in m] or \
            m["format"] != "assay.case-bundle.v1" or not all(is_uuid(m[n]) for n in ("case", "made_by")) or \
            not all(isinstance(m.get(n, ""), str) for n in ("origin", "root", "recipient")) or \
            not all(is_int(m[n]) for n in ("size", "as_of", "entries", "keys")) or \
            not is_int(m["made_at"], -1 << 63, (1 << 63) - 1) or \
            not all(isinstance(m[n], list) for n in ("log_keys", "withheld", "files")) or \
            not all(isinstance(key, str) for key in m["log_keys"]) or \
            not all(texts(w, "what", "why") for w in m["withheld"]) or \
            not all(texts(f, "name", "size_bytes", "sha256") and is_int(f["size_bytes"]) for f in m["files"]) or \
            (json.dumps(m, ensure_ascii=False, indent=2) + "\n").encode(errors="replace") != raw:
        raise No("it is not written as a manifest of this format is")
    return m


def compare(box, manifest):
    if sha256(box.read("README.txt")).hex() != README_SHA256:
        raise No("README.txt is not the text that stands in every bundle")
    if [f["name"] for f in manifest["files"]] != [n for n in box.members if n != "manifest.json"]:
        raise No("the manifest lists other members than there are")
    for file in manifest["files"]:
        digest, size = hashlib.sha256(), 0
        for chunk in box.chunks(file["name"]):
            digest.update(chunk)
            size += len(chunk)
        if (digest.hexdigest(), size) != (file["sha256"], file["size_bytes"]):
            raise No(f"{file['name']} is not what the manifest says")


def read_entry(raw, number):
    no = No(f"line {number} is not written as entries are")
    try:
        e = unjson(raw)
        if not isinstance(e, dict) or list(e) != [f for f in ENTRY if f in e or not f.startswith("data")] or \
                ("data" in e) == ("data_sha256" in e):
            raise no
        e["hashes"] = [unbase64(h) for h in e["proof"]]
        text = json.dumps({f: e[f] for f in ENTRY if f in e}, ensure_ascii=False, separators=(",", ":"))
        optional = [e[n] for n in ("on_behalf_of", "session", "causation", "case") if e[n] is not None]
        if text.encode() != raw or not all(is_uuid(v) for v in [*optional, e["fact"], e["actor"], e["command"], e["correlation"]]) \
                or not is_int(e["position"]) or not is_int(e["revision"]) or not is_int(e["recorded_at"], -1 << 63, (1 << 63) - 1) \
                or not all(1 <= len(e[n].encode()) <= 200 for n in ("stream", "name")) or e["actor_kind"] not in KINDS \
                or not (e["request_mac"] is None or is_hex(e["request_mac"], 16)) or len(raw) >= LINE_MAX \
                or not ("data" not in e or isinstance(e["data"], str)) or not is_hex(e.get("data_sha256", "0" * 64), 32) \
                or len(e["hashes"]) > 64 or any(len(h) != 32 for h in e["hashes"]):
            raise no
        return e
    except (No, AttributeError, TypeError, KeyError, UnicodeEncodeError):
        raise no


def record(e):
    """The bytes of the leaf: see docs/verification.md."""
    id = lambda text: uuid.UUID(text).bytes
    maybe = lambda raw: b"\0" if raw is None else b"\1" + raw
    text = lambda value: struct.pack(">H", len(value.encode())) + value.encode()
    return b"".join([
        b"\1", struct.pack(">QQq", e["position"], e["revision"], e["recorded_at"]), id(e["fact"]), id(e["actor"]),
        bytes([KINDS[e["actor_kind"]]]), id(e["command"]), id(e["correlation"]),
        *(maybe(e[n] and id(e[n])) for n in ("on_behalf_of", "session", "causation", "case")),
        maybe(e["request_mac"] and bytes.fromhex(e["request_mac"])), text(e["stream"]), text(e["name"]),
        sha256(e["data"].encode()) if "data" in e else bytes.fromhex(e["data_sha256"])])


def sealed_values(data):
    found = []

    def pairs(items):
        found.extend(v for k, v in items if k == "sealed" and isinstance(v, str))
    json.loads(data, object_pairs_hook=pairs)
    return found


def hchacha20(key, nonce):
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            s[z] = ((s[z] ^ s[x]) << turn | (s[z] ^ s[x]) >> (32 - turn)) & 0xFFFFFFFF
    for _ in range(10):
        for n in range(4):
            quarter(n, 4 + n, 8 + n, 12 + n)
        for n in range(4):
            quarter(n, 4 + (n + 1) % 4, 8 + (n + 2) % 4, 12 + (n + 3) % 4)
    return struct.pack("<8I", *s[:4], *s[12:])


def unseal(key, stream, nonce, sealed):
    """XChaCha20-Poly1305; the stream's name is authenticated."""
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])).decrypt(b"\0" * 4 + nonce[16:], sealed, stream.encode())


class Keys:
    def __init__(self):
        self.held, self.used, self.sealed, self.opened = {}, set(), 0, 0

    def read(self, box):
        for raw in box.lines("keys.ndjson"):
            k = unjson(raw)
            if not isinstance(k, dict) or list(k) != ["key", "bytes"] or not is_uuid(k["key"]) or \
                    json.dumps(k, separators=(",", ":")).encode() != raw or len(unbase64(k["bytes"])) != 32 or \
                    (self.held and k["key"] <= max(self.last)) or len(self.held) == KEYS_MAX:
                raise No("a key is not written as keys are, or not in their order")
            self.held[k["key"]], self.last = unbase64(k["bytes"]), [k["key"]]

    def try_on(self, e):
        try:
            values = sealed_values(e.get("data", "{}"))
        except (ValueError, RecursionError):
            raise No("the entry's data is no JSON", e["position"])
        for value in values:
            self.sealed += 1
            try:
                scheme, id, nonce, sealed = value.split(".")
                id = str(uuid.UUID(bytes=unbase64url(id))) if scheme == "xc1" else None
                if id in self.held:
                    unseal(self.held[id], e["stream"], unbase64url(nonce), unbase64url(sealed))
                    self.used.add(id)
                    self.opened += 1
            except (ValueError, InvalidTag, struct.error):
                if value.split(".")[0] == "xc1":
                    raise No("a key does not open what is sealed under it", e["position"])


def read_entries(box, manifest, note, keys, report):
    case, streams, last, count, withheld, fault = manifest["case"], {}, None, 0, 0, None
    for raw in box.lines("entries.ndjson"):
        count += 1
        e = read_entry(raw, count)
        at = e["position"]
        try:
            verify_inclusion(leaf_hash(record(e)), at - 1, note.size, e["hashes"], note.root)
        except No as no:
            report.set("entries", "fails", no.words, at)
        if fault is None:
            try:
                keys.try_on(e)
            except No as no:
                fault = no
        withheld += "data" not in e
        if last and (at <= last[0] or e["recorded_at"] < last[1]):
            report.set("order", "fails", "the entry is out of order, or time goes back", at)
        last = (at, e["recorded_at"])
        if e["case"] not in (None, case):
            report.set("streams", "fails", "the entry belongs to another case", at)
        before, gap, ours = streams.get(e["stream"], (-1, None, False))
        if e["revision"] <= before:
            report.set("streams", "fails", "a revision is there twice", at)
        gap = gap or (at if e["revision"] > before + 1 else None)
        streams[e["stream"]] = (e["revision"], gap, ours or e["case"] is not None)
    if count > ENTRIES_MAX:
        raise No("there are too many entries")
    report.set("entries", "holds", f"all {count} are in the log at their places")
    if count != manifest["entries"] or (last or (0,))[0] > manifest["as_of"]:
        report.set("manifest", "fails", "it counts other entries than there are")
    explained = not withheld or manifest["withheld"]
    report.set("withheld", "holds" if explained else "fails", f"the data of {withheld} entries of {count} is withheld")
    if fault:
        report.set("keys", "fails", fault.words, fault.position)
    if keys.held.keys() - keys.used:
        report.set("keys", "fails", "a key opens nothing in this file")
    report.set("keys", "holds" if keys.held else "not_checked",
               f"{len(keys.held)} keys open {keys.opened} of {keys.sealed} sealed values")
    report.set("order", "holds", "positions ascend and time never goes back")
    gaps = [gap for _, gap, ours in streams.values() if ours and gap]
    if gaps:
        report.set("streams", "fails", "entries of this stream before this one are missing", min(gaps))
    if not streams.get(f"case-{case}", (0, 0, False))[2]:
        report.set("streams", "fails", "the case's own stream is missing")
    report.set("streams", "holds", f"{sum(s[2] for s in streams.values())} streams of the case have no gaps")


def verify_bundle(path, asked):
    report, box = Report(BUNDLE, BUNDLE_DOES_NOT_PROVE), Container(path)

    def run():
        report.checking = "container"
        box.open()
        report.checking = "manifest"
        manifest = read_manifest(box)
        report.checking = "container"
        compare(box, manifest)
        report.set("container", "holds", f"{len(box.members)} members, each as the manifest says")
        report.checking = "signature"
        note = Note(box.read("checkpoint.txt"))
        vouch(report, note, asked)
        if (note.origin, note.size, base64.b64encode(note.root).decode()) != tuple(manifest[n] for n in ("origin", "size", "root")) \
                or manifest["as_of"] > note.size or not manifest["log_keys"] or not all(signed(note, k) for k in manifest["log_keys"]):
            report.set("manifest", "fails", "it does not describe the checkpoint that is there")
        stamps = [n for n in box.members if n.startswith("timestamps/")]
        report.set("timestamps", "not_checked", f"{len(stamps)} are there; this program does not know RFC 3161")
        proof = report.check("older", lambda: read_consistency(box))
        continues(report, note, asked, lambda old: continued(old, note, proof))
        evidence = [f for f in manifest["files"] if f["name"].startswith("evidence/")]
        wrong = [f for f in evidence if f["name"] != "evidence/" + f["sha256"]]
        report.set("evidence", "fails" if wrong else "holds" if evidence else "not_checked", f"{len(evidence)} files")
        keys = Keys()
        report.check("keys", lambda: keys.read(box))
        if report.checks["keys"][0] != "fails" and len(keys.held) != manifest["keys"]:
            report.set("manifest", "fails", "it counts other keys than there are")
        report.check("entries", lambda: read_entries(box, manifest, note, keys, report))
        report.set("manifest", "holds", "it agrees with the rest")
        return f"Case {manifest['case']} from the log {note.origin} at size {note.size}, {manifest['entries']} entries"
    try:
        return report, run()
    except No as no:
        report.set(report.checking, "fails", no.words, no.position)
        return report, "A case bundle"


def signed(note, text):
    try:
        return note.signed_by(VerifierKey(text, 1))
    except (ValueError, No):
        return False


def read_consistency(box):
    raw = box.read("consistency.txt")
    if raw is None:
        return None
    first, *hashes = raw.decode(errors="replace").split("\n")
    if hashes[-1:] != [""] or not first.startswith("old ") or len(hashes) > 65:
        raise No("consistency.txt is malformed")
    proof = decimal(first[4:]), [unbase64(h) for h in hashes[:-1]]
    if any(len(h) != 32 for h in proof[1]):
        raise No("consistency.txt is malformed")
    return proof


def continued(old, note, proof):
    if proof and proof[0] == old.size:
        verify_consistency(old.size, old.root, note.size, note.root, proof[1])
    elif old.size == note.size or old.size == 0:
        verify_consistency(old.size, old.root, note.size, note.root, [])
    else:
        raise No(f"the file holds no proof that the log continues yours of {old.size}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    parser.add_argument("--key", action="append", required=True, help="the log's public key, or a file that holds it")
    parser.add_argument("--witness", action="append", default=[], help="a witness's public key, or a file that holds it")
    parser.add_argument("--witnesses-needed", type=int, help="how many must have cosigned; all of them, if not said")
    parser.add_argument("--checkpoint", action="append", default=[], help="a checkpoint of the log that you hold")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()

    def key(text, kind):
        if os.path.isfile(text):
            with open(text, encoding="utf-8") as file:
                text = file.read().strip()
        return VerifierKey(text, kind)
    try:
        asked.keys = [key(text, 1) for text in asked.key]
        asked.witnesses = [key(text, 4) for text in asked.witness]
        named = len({witness.raw for witness in asked.witnesses})
        asked.witnesses_needed = named if asked.witnesses_needed is None else asked.witnesses_needed
        if asked.witnesses_needed > named:
            raise ValueError("more witnesses are needed than named")
        asked.older = []
        for path in asked.checkpoint:
            with open(path, "rb") as file:
                asked.older.append(Note(file.read(NOTE_MAX + 1)))
        report, what = (verify_mirror if os.path.isdir(asked.path) else verify_bundle)(asked.path, asked)
    except (OSError, ValueError, No) as error:
        print(f"assay_verify: {error or 'malformed key'}", file=sys.stderr)
        return 2
    report.show(what, asked.json)
    return 0 if report.holds() else 1


if __name__ == "__main__":
    sys.exit(main())
