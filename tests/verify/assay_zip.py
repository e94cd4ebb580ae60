"""The file of a case bundle: a ZIP archive with nothing before, between or behind its members."""

import os, struct, zipfile, zlib

from assay_log import NOTE_MAX, No, is_hex

FILE_MAX, DIRECTORY_MAX, MEMBERS_MAX = 8 << 30, 4 << 20, 10_000
LINE_MAX, RATIO_MAX, RATIO_FREE = 4 << 20, 200, 16 << 20


class Container:
    def __init__(self, path):
        self.file = open(path, "rb")
        self.length = self.file.seek(0, os.SEEK_END)

    def at(self, offset, count):
        self.file.seek(offset)
        raw = self.file.read(count)
        if len(raw) != count:
            raise No("the file is cut short")
        return raw

    def open(self):
        """Lists the members, each described alike by the directory and by its own header."""
        if not 22 <= self.length <= FILE_MAX:
            raise No("this is no ZIP file of a bundle's size")
        end = self.length - 22
        sig, d1, d2, here, count, size, start, comment = struct.unpack("<IHHHHIIH", self.at(end, 22))
        if (sig, d1, d2, comment) != (0x06054B50, 0, 0, 0) or here != count:
            raise No("this is no ZIP file that ends as one without a comment does")
        if count == 0xFFFF or 0xFFFFFFFF in (size, start):
            wide = struct.unpack("<IQIIIQQQQIIQI", self.at(max(end - 76, 0), 76))
            if (wide[0], wide[1], wide[3:5], wide[9:]) != (0x06064B50, 44, (0, 0), (0x07064B50, 0, end - 76, 1)):
                raise No("the end of the ZIP file is malformed")
            here, count, size, start, end = *wide[5:9], end - 76
        if here != count or start + size != end or count > MEMBERS_MAX or size > DIRECTORY_MAX:
            raise No("the directory is not where or what it should be")
        raw, following, self.members = self.at(start, size), 0, {}
        for _ in range(count):
            if len(raw) < 46:
                raise No("the directory is malformed")
            f = struct.unpack("<IIHHIIIIHHHHHII", raw[:46])
            name, extra, raw = raw[46:46 + f[8]], raw[46 + f[8]:46 + f[8] + f[9]], raw[46 + f[8] + f[9]:]
            unpacked, packed, offset = self.wide(extra, f[7], f[6], f[14])
            kind = (f[13] >> 16) & 0o170000
            if f[0] != 0x02014B50 or f[10] or f[11] or kind not in (0, 0o100000) or f[3] not in (0, 8) or f[2] & ~0x806:
                raise No("the directory is malformed")
            if offset != following or start < offset + 30:
                raise No("something hides between the members")
            g = struct.unpack("<IHHHIIIIHH", self.at(offset, 30))
            own = self.at(offset + 30, g[8] + g[9])
            if (g[0], g[2], g[3], g[5], own[:g[8]]) != (0x04034B50, f[2], f[3], f[5], name) or \
                    self.wide(own[g[8]:], g[7], g[6]) != [unpacked, packed]:
                raise No("a member's header differs from the directory")
            following = offset + 30 + g[8] + g[9] + packed
            if unpacked > RATIO_FREE and unpacked // RATIO_MAX > packed:
                raise No("a member is packed too tightly to be honest")
            self.members[name.decode("ascii", "replace")] = unpacked
        if raw or following != start or sum(self.members.values()) > FILE_MAX or len(self.members) != count:
            raise No("something hides behind the members, or they are too large")
        self.names_fit()
        self.zip = zipfile.ZipFile(self.file)

    @staticmethod
    def wide(extra, *narrow):
        if extra and (len(extra) < 4 or struct.unpack("<HH", extra[:4]) != (1, len(extra) - 4)):
            raise No("a member has an unknown extra field")
        rest, found = extra[4:], []
        for value in narrow:
            if value == 0xFFFFFFFF:
                if len(rest) < 8:
                    raise No("the directory is malformed")
                value, rest = int.from_bytes(rest[:8], "little"), rest[8:]
            found.append(value)
        if rest:
            raise No("the directory is malformed")
        return found

    def names_fit(self):
        names = list(self.members)
        stamps = [n for n in names if n.startswith("timestamps/")]
        evidence = [n for n in names if n.startswith("evidence/")]
        wanted = ["README.txt", "manifest.json", "checkpoint.txt"]
        wanted += [f"timestamps/{n + 1}.tsr" for n in range(min(len(stamps), 100))]
        wanted += [n for n in names if n == "consistency.txt"] + ["entries.ndjson", "keys.ndjson"] + sorted(evidence)
        if names != wanted or not all(is_hex(n[9:], 32) for n in evidence):
            raise No("there are other members than there may be, or in another order")

    def chunks(self, name):
        try:
            with self.zip.open(name) as member:
                while chunk := member.read(1 << 16):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
            raise No(f"{name} cannot be unpacked")

    def read(self, name, limit=NOTE_MAX):
        if name in self.members and self.members[name] > limit:
            raise No(f"{name} is too large")
        return b"".join(self.chunks(name)) if name in self.members else None

    def lines(self, name):
        rest = b""
        for chunk in self.chunks(name):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
            if len(rest) >= LINE_MAX:
                break
        if rest:
            raise No("a line has no end, or is too long")
