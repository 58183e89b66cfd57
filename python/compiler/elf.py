"""elf - what an object file says of itself (System V ABI, chapters 4 and 5; 32 and 64 bit).

The compiler wrote it, but from a stranger's source: offsets are checked, and what does not
fit is ElfError.
"""

import struct

SHT_SYMTAB, SHT_DYNSYM = 2, 11
PT_LOAD, PT_DYNAMIC, PT_GNU_STACK = 1, 2, 0x6474E551
PF_X, PF_W = 1, 2
STT_GNU_IFUNC = 10
DT_INIT, DT_FINI, DT_TEXTREL, DT_FLAGS = 12, 13, 22, 30
DT_INIT_ARRAY, DT_FINI_ARRAY, DT_PREINIT_ARRAY = 25, 26, 32
DF_TEXTREL = 4

LOAD_TIME_TAGS = frozenset((DT_INIT, DT_FINI, DT_INIT_ARRAY, DT_FINI_ARRAY, DT_PREINIT_ARRAY))


# What reading at a place that a file names may raise.
_DAMAGE = (struct.error, IndexError, ValueError, OverflowError)


class ElfError(Exception):
    """No object file, or a damaged one."""


class Symbol:
    """A name, and whether this file defines it, as a function that others find."""

    __slots__ = ("name", "is_defined", "is_global", "is_hidden", "is_indirect")

    def __init__(self, name, info, other, section):
        self.name = name
        self.is_defined = section != 0
        self.is_global = info >> 4 != 0
        self.is_hidden = other & 3 in (1, 2)
        self.is_indirect = info & 15 == STT_GNU_IFUNC


class Object:
    """sections, segments (type, flags), dynamic entries (tag, value) of a file's bytes."""

    def __init__(self, data):
        try:
            self._read(data)
        except _DAMAGE as error:
            raise ElfError(str(error)) from error

    def _read(self, data):
        if data[:4] != b"\x7fELF" or data[4] not in (1, 2) or data[5] not in (1, 2):
            raise ElfError("not an object file")
        self._data, self._wide = data, data[4] == 2
        self._order = "<" if data[5] == 1 else ">"
        word = "Q" if self._wide else "I"
        header = self._at(f"HHI{word}{word}{word}IHHHHHH", 16)
        segments_at, sections_at = header[4], header[5]
        segment_size, segments, section_size, sections = header[8:12]
        section = "IIQQQQIIQQ" if self._wide else "IIIIIIIIII"
        self._sections = [self._at(section, sections_at + i * section_size)
                          for i in range(sections)]
        self.segments, self.dynamic = [], []
        for i in range(segments):
            fields = self._at("IIQQQQQQ" if self._wide else "IIIIIIII",
                              segments_at + i * segment_size)
            kind, flags = fields[0], fields[1] if self._wide else fields[6]
            offset, size = (fields[2], fields[5]) if self._wide else (fields[1], fields[4])
            self.segments.append((kind, flags))
            if kind == PT_DYNAMIC:
                self.dynamic = self._dynamic(offset, size, word)

    def _dynamic(self, offset, size, word):
        entry = struct.calcsize(self._order + 2 * word)
        return [self._at(2 * word, offset + i * entry) for i in range(min(size, len(self._data)) // entry)]

    def symbols(self, kind):
        """Of the table of this kind (SHT_SYMTAB or SHT_DYNSYM); none where there is none."""
        found = []
        try:
            for section in self._sections:
                if section[1] == kind and section[9]:
                    names = self._sections[section[6]][4]
                    for i in range(min(section[5], len(self._data)) // section[9]):
                        found.append(self._symbol(section[4] + i * section[9], names))
        except _DAMAGE as error:
            raise ElfError(str(error)) from error
        return [symbol for symbol in found if symbol.name]

    def _symbol(self, offset, names):
        if self._wide:
            name, info, other, section = self._at("IBBH", offset)
        else:
            name, _, _, info, other, section = self._at("IIIBBH", offset)
        end = self._data.index(b"\0", names + name)
        return Symbol(self._data[names + name:end].decode("utf-8"), info, other, section)

    def _at(self, layout, offset):
        return struct.unpack_from(self._order + layout, self._data, offset)
