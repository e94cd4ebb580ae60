"""What every part of the verifier stands on: reports, spellings, the Merkle tree, signed notes and mirrors of a log."""

import base64, hashlib, json, os, re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MIRROR = "signature origin witnesses older tiles records"
NOTE_MAX = 1 << 20
MIRROR_DOES_NOT_PROVE = [
    "that the log has not grown since, or that others were shown the same log",
    "what the entries say: the leaves commit to it, a case bundle shows it",
]


class No(Exception):
    """Something does not hold: why, and the first position it is about."""

    def __init__(self, words, position=None):
        super().__init__(words)
        self.words, self.position = words, position


class Report:
    """Every check there is, in a fixed order; what failed once stays as it failed first."""

    def __init__(self, names, does_not_prove):
        self.does_not_prove = does_not_prove
        self.checks = {n: ["not_checked", "an earlier check does not hold", None] for n in names.split()}

    def set(self, name, state, words, position=None):
        if self.checks[name][0] != "fails":
            self.checks[name] = [state, words, position]

    def check(self, name, work):
        """Runs a check; answers what it answers, or None where it does not hold."""
        try:
            return work()
        except No as no:
            self.set(name, "fails", no.words, no.position)

    def holds(self):
        return all(state != "fails" for state, _, _ in self.checks.values())

    def show(self, what, as_json):
        positions = [c[2] for c in self.checks.values() if c[0] == "fails" and c[2] is not None]
        first = min(positions, default=None)
        if as_json:
            checks = [dict(name=n, state=s, words=w, position=p) for n, (s, w, p) in self.checks.items()]
            print(json.dumps(dict(what=what, holds=self.holds(), position=first, checks=checks,
                                  does_not_prove=self.does_not_prove), ensure_ascii=False))
            return
        print(what)
        for name, (state, words, position) in self.checks.items():
            word = {"holds": "holds", "fails": "FAILS", "not_checked": "not checked"}[state]
            print(f"{name:<10}  {word:<11}  {f'position {position}: ' if position is not None else ''}{words}")
        print("RESULT: it holds." if self.holds() else f"RESULT: it does NOT hold; first bad position: {first}")
        print("This does not prove:", *("- " + text for text in self.does_not_prove), sep="\n")


# --- spellings: every value has one only

def unbase64(text):
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raise No("malformed base64")
    if base64.b64encode(raw).decode() != text:
        raise No("base64 in another spelling")
    return raw


def unbase64url(text):
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != text:
        raise ValueError
    return raw


def decimal(text):
    if not re.fullmatch(r"0|[1-9][0-9]{0,19}", text, re.ASCII) or int(text) >= 1 << 64:
        raise No("malformed number")
    return int(text)


def unjson(raw):
    """JSON without doubled names and without numbers that are none."""
    def pairs(items):
        if len({k for k, _ in items}) != len(items):
            raise ValueError
        return dict(items)

    def constant(_):
        raise ValueError
    try:
        return json.loads(raw.decode(), object_pairs_hook=pairs, parse_constant=constant)
    except (ValueError, RecursionError):
        raise No("malformed JSON")


def is_int(value, low=0, high=(1 << 64) - 1):
    return type(value) is int and low <= value <= high


def is_uuid(value):
    return isinstance(value, str) and bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value))


def is_hex(value, count):
    return isinstance(value, str) and bool(re.fullmatch(f"[0-9a-f]{{{2 * count}}}", value))


# --- the tree (RFC 6962, RFC 9162)

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(record):
    return sha256(b"\0", record)


def node_hash(left, right):
    return sha256(b"\1", left, right)


def root_of(hashes):
    peaks = []  # (height, hash), largest first
    for leaf in hashes:
        peaks.append((0, leaf))
        while len(peaks) > 1 and peaks[-1][0] == peaks[-2][0]:
            (_, right), (height, left) = peaks.pop(), peaks.pop()
            peaks.append((height + 1, node_hash(left, right)))
    return fold(peaks)


def fold(peaks):
    if not peaks:
        return sha256()
    root = peaks[-1][1]
    for _, left in reversed(peaks[:-1]):
        root = node_hash(left, root)
    return root


def climb(fn, sn, proof, seed_old, seed_new):
    """The two roots a proof leads to; all of its hashes must be used."""
    old, new = seed_old, seed_new
    for sibling in proof:
        if sn == 0:
            raise No("the proof has too many hashes")
        if fn & 1 or fn == sn:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node_hash(new, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise No("the proof has too few hashes")
    return old, new


def verify_inclusion(leaf, index, size, proof, root):
    if not 0 <= index < size:
        raise No("there is no such leaf")
    if climb(index, size - 1, proof, leaf, leaf)[1] != root:
        raise No("the proof leads to another root")


def verify_consistency(old_size, old_root, size, root, proof):
    if old_size > size:
        raise No("the log shrank")
    if old_size in (0, size):
        if proof or (old_root != (sha256() if old_size == 0 else root)):
            raise No("the proof does not lead there")
        return
    fn, sn = old_size - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    if old_size & (old_size - 1):
        if not proof:
            raise No("the proof is too short")
        first, proof = proof[0], proof[1:]
    else:
        first = old_root
    if climb(fn, sn, proof, first, first) != (old_root, root):
        raise No("the proof does not lead to both roots")


# --- signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature)

class VerifierKey:
    def __init__(self, text, kind):
        self.name, wanted, raw = text.split("+", 2)
        raw = unbase64(raw)
        if len(raw) != 33 or raw[0] != kind or not self.name or re.search(r"[\s\x00-\x1f]", self.name):
            raise ValueError
        self.id = sha256(self.name.encode(), b"\n", raw)[:4]
        if self.id.hex() != wanted:
            raise ValueError
        self.raw, self.public = raw[1:], Ed25519PublicKey.from_public_bytes(raw[1:])

    def verify(self, signature, message):
        try:
            self.public.verify(signature, message)
        except InvalidSignature:
            raise No(f"the signature of {self.name} is wrong")


class Note:
    """A signed checkpoint: origin, size and root; the signatures are unchecked."""

    def __init__(self, raw):
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise No("the checkpoint is no text")
        body, parted, lines = text.rpartition("\n\n")
        self.body, lines = body + "\n", lines.split("\n")
        if not parted or lines.pop() != "" or not 1 <= len(lines) <= 100 or len(raw) > NOTE_MAX:
            raise No("this is no signed note")
        if re.search(r"[\x00-\x09\x0b-\x1f]", text):
            raise No("control characters in a note")
        self.signatures = []
        for line in lines:
            match = re.fullmatch(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)", line)
            raw = unbase64(match[2]) if match else b""
            if len(raw) < 5:
                raise No("a signature line is malformed")
            self.signatures.append((match[1], raw[:4], raw[4:]))
        head = self.body.split("\n")[:-1]
        if len(head) < 3 or "" in head:
            raise No("this is no checkpoint")
        self.origin, self.size, self.root = head[0], decimal(head[1]), unbase64(head[2])
        if len(self.root) != 32:
            raise No("the root is no hash")

    def signed_by(self, key):
        found = [s for name, id, s in self.signatures if (name, id) == (key.name, key.id)]
        for signature in found:
            key.verify(signature, self.body.encode())
        return bool(found)

    def cosigned_by(self, key):
        found = [s for name, id, s in self.signatures if (name, id) == (key.name, key.id)]
        for signature in found:
            if len(signature) != 72 or signature[0] >= 128:
                raise No(f"the cosignature of {key.name} is malformed")
            seconds = int.from_bytes(signature[:8])
            key.verify(signature[8:], f"cosignature/v1\ntime {seconds}\n{self.body}".encode())
        return bool(found)

    def by_keys(self, keys):
        named = [key for key in keys if key.name == self.origin] or keys
        if not any([self.signed_by(key) for key in named]):
            raise No("none of the keys you gave has signed")


def vouch(report, note, asked):
    def signature():
        note.by_keys(asked.keys)
        report.set("signature", "holds", "signed by a key you gave")
    report.check("signature", signature)
    if any(key.name == note.origin for key in asked.keys):
        report.set("origin", "holds", f"it is of the log {note.origin}")
    else:
        report.set("origin", "fails", f"it is of the log {note.origin}, and no key you gave is of that name")

    def witnesses():
        found = {key.raw for key in asked.witnesses if note.cosigned_by(key)}
        if len(found) < asked.witnesses_needed:
            raise No(f"{len(found)} of your witnesses have cosigned, {asked.witnesses_needed} are needed")
        report.set("witnesses", "holds" if found else "not_checked", f"{len(found)} witnesses have cosigned")
    report.check("witnesses", witnesses)


def continues(report, note, asked, shown):
    def older():
        for old in asked.older:
            if old.origin != note.origin:
                raise No("your older checkpoint is of another log")
            old.by_keys(asked.keys)
            if old.size > note.size:
                raise No(f"you hold a checkpoint of {old.size}, this one has {note.size}")
            shown(old)
        report.set("older", "holds" if asked.older else "not_checked", f"{len(asked.older)} older checkpoints compared")
    report.check("older", older)


# --- a mirror of a whole log (C2SP tlog-tiles)

def tile_path(directory, level, index, width):
    place = f"{index % 1000:03}"
    while index := index // 1000:
        place = f"x{index % 1000:03}/{place}"
    path = os.path.join(directory, "tile", str(level), place)
    return path if width == 256 else f"{path}.p/{width}"


def read_tile(directory, level, index, width, limit):
    for have in {width: 1, 256: 1}:
        path = tile_path(directory, level, index, have)
        if os.path.isfile(path):
            with open(path, "rb") as file:
                return have, file.read(limit + 1)
    return width, None


def read_hashes(directory, level, index, width):
    have, raw = read_tile(directory, level, index, width, 8192)
    if raw is None or len(raw) != have * 32:
        raise No(f"tile {index} of level {level} is missing or has another size", (index * 256 << 8 * level) + 1)
    return [raw[n:n + 32] for n in range(0, width * 32, 32)]


def walk(directory, size, roots, report):
    """Recomputes the root from all leaves; compares every tile above them, and the records below, if there are any."""
    peaks, rows, with_records = [], [[]], True

    def compare(level, index, hashes):
        try:
            found = read_hashes(directory, level, index, len(hashes)) if level else hashes
            if found != hashes:
                place = [a == b for a, b in zip(found, hashes)].index(False)
                raise No("a tile differs from the leaves below it", (index * 256 + place << 8 * level) + 1)
        except No as no:
            report.set("tiles", "fails", no.words, no.position)
    for index in range((size + 255) // 256):
        width = min(256, size - index * 256)
        hashes = read_hashes(directory, 0, index, width)
        if with_records and report.checks["records"][0] != "fails":
            with_records = compare_records(directory, index, width, hashes, report)
        for place, leaf in enumerate(hashes):
            level, node = 0, leaf
            peaks.append((0, leaf))
            while len(peaks) > 1 and peaks[-1][0] == peaks[-2][0]:
                (_, right), (height, left) = peaks.pop(), peaks.pop()
                peaks.append((height + 1, node_hash(left, right)))
            now = index * 256 + place + 1
            if now in roots:
                roots[now] = fold(peaks)
            while True:
                rows[level].append(node)
                if len(rows[level]) < 256:
                    break
                full, rows[level] = rows[level], []
                compare(level, (now >> 8 * (level + 1)) - 1, full)
                level, node = level + 1, root_of(full)
                if len(rows) == level:
                    rows.append([])
    for level, row in enumerate(rows):
        if row:
            compare(level, (size >> 8 * level) // 256, row)
    if size and with_records:
        report.set("records", "holds", "every record is what its leaf commits to")
    return fold(peaks)


def compare_records(directory, index, width, hashes, report):
    have, raw = read_tile(directory, "entries", index, width, 256 * 65537)
    if raw is None and index == 0:
        report.set("records", "not_checked", "the mirror holds no records")
        return False
    records, rest = [], raw or b""
    while len(rest) >= 2 and len(rest) >= 2 + int.from_bytes(rest[:2]):
        length = int.from_bytes(rest[:2])
        records, rest = records + [rest[2:2 + length]], rest[2 + length:]
    if rest or len(records) != have:
        report.set("records", "fails", "a tile of records is missing or malformed", index * 256 + 1)
        return True
    for place, hash in enumerate(hashes):
        if leaf_hash(records[place]) != hash:
            report.set("records", "fails", "the record is not what its leaf commits to", index * 256 + place + 1)
    return True


def verify_mirror(directory, asked):
    report = Report(MIRROR, MIRROR_DOES_NOT_PROVE)
    with open(os.path.join(directory, "checkpoint"), "rb") as file:
        raw = file.read(NOTE_MAX + 1)
    note = report.check("signature", lambda: Note(raw))
    if note is None:
        return report, "A mirror of a log"
    vouch(report, note, asked)

    def tiles():
        if walk(directory, note.size, roots, report) != note.root:
            report.set("tiles", "fails", "the leaves lead to another root than the signed one")
        report.set("tiles", "holds", f"{note.size} leaves lead to the signed root, through every tile")
    roots = {0: sha256(), **{old.size: None for old in asked.older if old.size}}
    report.check("tiles", tiles)

    def shown(old):
        if roots.get(old.size) != old.root:
            raise No(f"the first {old.size} leaves are not those of your checkpoint, or not there")
    continues(report, note, asked, shown)
    return report, f"A mirror of the log {note.origin} at size {note.size}"
