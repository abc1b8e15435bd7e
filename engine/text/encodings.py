"""From a file's bytes to text: which encoding it is in, or why it is no text at all.

The order of the questions: a byte-order mark settles it; bytes no text holds refuse it; valid
UTF-8 is UTF-8 (other encodings hardly ever look valid by chance); UTF-8 with a little damage
is still UTF-8; for the rest charset-normalizer judges a sample, and a note says what was
assumed. Decoding goes in steps of a megabyte, so that other threads get their turn.
"""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass

import numpy as np

from engine.errors import LabError
from engine.jobs import NO_JOB, Job

_CHUNK = 1 << 20  # bytes decoded between two yield points
_SAMPLE = 1 << 16  # bytes that the encoding detector sees
_MAX_CONTROL_SHARE = 0.02  # random bytes hold a tenth; text holds next to none

# C0 controls and DEL, but for tab, newline, vertical tab, form feed, carriage return and
# escape (terminal logs and ISO-2022 hold that one).
_CONTROLS = bytes(c for c in [*range(0x20), 0x7F] if c not in b"\t\n\v\f\r\x1b")

# Longer marks first: UTF-32's little-endian mark starts with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_SIGNATURES = (
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document (.docx, .odt, .epub)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office document (.doc, .xls, .ppt)"),
    (b"{\\rtf", "a rich-text document (.rtf)"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\x00", "a database"),
)

_ISO_2022 = ("iso2022_jp", "iso2022_jp_2", "iso2022_kr")

# The detector may choose among the encodings that text files are still met in. Its full list
# holds dozens of rare ones, of mainframes and early PCs, that fit short texts by chance; and
# UTF-8 and UTF-16 are told by their marks, zeros and validity, never by likelihood.
_WESTERN = ("cp1252", "cp1250", "cp1254", "cp1257", "iso8859_2")
_CANDIDATES = [
    *_WESTERN,
    *("cp1251", "koi8_r", "koi8_u", "cp866"),
    *("cp1253", "cp1255", "cp1256", "cp874"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
]

_NAMES = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32",
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1252": "Windows-1252 (Western European)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "koi8_r": "KOI8-R (Cyrillic)",
    "cp1257": "Windows-1257 (Baltic)",
    "cp866": "DOS 866 (Cyrillic)",
    "cp874": "Windows-874 (Thai)",
    "iso8859_2": "ISO 8859-2 (Central European)",
    "koi8_u": "KOI8-U (Cyrillic)",
    "cp932": "Shift JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "iso2022_jp": "ISO-2022-JP (Japanese)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "cp949": "EUC-KR (Korean)",
}


@dataclass(frozen=True)
class DecodedText:
    """Text with newlines as \\n, and what was assumed or mended on the way."""

    text: str
    encoding: str
    """Python's name of the codec, such as "utf-8"."""
    notes: tuple[str, ...]


def decode_text(data: bytes, name: str = "the file", job: Job = NO_JOB) -> DecodedText:
    """The text in ``data``, whatever encoding it is in, newlines normalised to \\n.

    Args:
        data: a whole file's bytes.
        name: what to call it in messages.

    Raises:
        LabError: if the bytes are no text, or in no encoding that can be told.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode_marked(data[len(mark) :], encoding, name, job)
    for signature, sort in _SIGNATURES:
        if data.startswith(signature):
            raise LabError(
                f"{name} is {sort}, not plain text. Save or export its words as a .txt file."
            )
    unmarked = _utf16_without_mark(data)
    if unmarked:
        return _decode_marked(data, unmarked, name, job, assumed=True)
    _refuse_binary(data, name, job)
    detected = _iso2022(data)
    if detected is None:
        decoded = _decode_utf8(data, job)
        if decoded:
            return decoded
        detected = _detect(_samples(data), job)
    if detected is None:
        raise LabError(
            f"{name} is not UTF-8, and no other encoding could be told for certain. "
            "Open it in a text editor and save it as UTF-8."
        )
    return _decode_tolerant(data, detected, name, job, assumed=True)


def encoding_name(encoding: str) -> str:
    """What the learner reads for one of Python's codec names."""
    return _NAMES.get(encoding, encoding)


def _decode_marked(
    data: bytes, encoding: str, name: str, job: Job, assumed: bool = False
) -> DecodedText:
    """Decode what a byte-order mark (or the pattern of its bytes) gives away."""
    decoded = _decode_tolerant(data, encoding, name, job, assumed)
    controls = sum(decoded.text.count(chr(c)) for c in _CONTROLS)
    _refuse_controls(controls, decoded.text.count("\0"), len(decoded.text), name)
    return decoded


def _refuse_binary(data: bytes, name: str, job: Job) -> None:
    controls = 0
    for start in range(0, len(data), _CHUNK):
        job.yield_point()
        chunk = data[start : start + _CHUNK]
        controls += len(chunk) - len(chunk.translate(None, _CONTROLS))
    _refuse_controls(controls, data.count(0), len(data), name)


def _refuse_controls(controls: int, nuls: int, total: int, name: str) -> None:
    if nuls:
        count = "a NUL character" if nuls == 1 else f"{nuls:,} NUL characters"
        raise LabError(
            f"{name} holds {count}, which no plain text does: it is a binary file or damaged. "
            "Choose a plain text file."
        )
    if controls > 2 and controls > _MAX_CONTROL_SHARE * total:
        raise LabError(
            f"{name} looks like a binary file: {controls:,} of its {total:,} characters are "
            "control codes. Choose a plain text file."
        )


def _decode_chunks(data: bytes, encoding: str, errors: str, job: Job) -> tuple[str, bool]:
    """The text with \\n newlines, and whether there were others to normalise.

    Raises:
        UnicodeDecodeError: if ``errors`` is "strict" and the bytes are not in the encoding.
    """
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(encoding)(errors), translate=True
    )
    parts: list[str] = []
    for start in range(0, len(data), _CHUNK):
        job.progress(start, len(data), "Reading the text")
        parts.append(decoder.decode(data[start : start + _CHUNK]))
    parts.append(decoder.decode(b"", final=True))
    newlines = decoder.newlines
    return "".join(parts), newlines is not None and newlines != "\n"


def _decode_utf8(data: bytes, job: Job) -> DecodedText | None:
    """The text if the bytes are UTF-8, perhaps with a little damage; otherwise None.

    A file cut off in mid-character, or one stray byte in a page of good UTF-8, would come out
    as nonsense in every other encoding. It counts as UTF-8 if it has sound characters outside
    ASCII, and at most a twentieth as many broken ones (or only its end is broken).
    """
    try:
        text, normalised = _decode_chunks(data, "utf-8", "strict", job)
    except UnicodeDecodeError:
        pass
    else:
        return DecodedText(text, "utf-8", _newline_notes(normalised))
    text, normalised = _decode_chunks(data, "utf-8", "replace", job)
    broken = text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    leads = 0
    for start in range(0, len(data), _CHUNK):
        job.yield_point()
        chunk = np.frombuffer(data[start : start + _CHUNK], dtype=np.uint8)
        leads += int(np.count_nonzero((chunk >= 0xC2) & (chunk <= 0xF4)))
    sound = max(0, leads - broken)
    if broken == 1 and _ends_in_mid_character(data):
        if sound == 0:
            return None
        note = "The file ends in the middle of a character; that piece was left out."
        return DecodedText(text[:-1], "utf-8", (note, *_newline_notes(normalised)))
    if sound < 20 * broken:
        return None
    return DecodedText(text, "utf-8", (_damage_note(broken), *_newline_notes(normalised)))


def _ends_in_mid_character(data: bytes) -> bool:
    tail = data[-3:]
    for length in range(1, len(tail) + 1):
        try:
            tail[-length:].decode("utf-8")
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data" and error.start == 0:
                return True
    return False


def _decode_tolerant(data: bytes, encoding: str, name: str, job: Job, assumed: bool) -> DecodedText:
    """Decode, with U+FFFD for at most one character in a thousand."""
    readable = encoding_name(encoding)
    notes: list[str] = []
    if assumed:
        notes.append(f"Read as {readable}: that was judged from its bytes, and may be wrong.")
    elif encoding != "utf-8":
        notes.append(f"Read as {readable}.")
    try:
        text, normalised = _decode_chunks(data, encoding, "strict", job)
    except UnicodeDecodeError:
        sound = _decode_chunks(data, encoding, "ignore", job)[0].count("\ufffd")
        text, normalised = _decode_chunks(data, encoding, "replace", job)
        broken = text.count("\ufffd") - sound
        if broken * 1000 > len(text) and broken > 1:
            raise LabError(
                f"{name} seems to be {readable}, but {broken:,} places in it cannot be read. "
                "Open it in a text editor and save it as UTF-8."
            ) from None
        notes.append(_damage_note(broken))
    return DecodedText(text, encoding, (*notes, *_newline_notes(normalised)))


def _newline_notes(normalised: bool) -> tuple[str, ...]:
    if not normalised:
        return ()
    return ("Line ends written with carriage returns (\\r\\n or \\r) were turned into \\n.",)


def _damage_note(broken: int) -> str:
    places = "One place" if broken == 1 else f"{broken:,} places"
    return f"{places} could not be read and became \ufffd (U+FFFD)."


def _utf16_without_mark(data: bytes) -> str | None:
    """UTF-16 of mostly Latin text shows itself: every other byte is 0, the others never."""
    if len(data) < 4 or len(data) % 2:
        return None
    half = len(data) // 2
    zeros_even, zeros_odd = data[0::2].count(0), data[1::2].count(0)
    if zeros_even == 0 and zeros_odd > 0.6 * half:
        return "utf-16-le"
    if zeros_odd == 0 and zeros_even > 0.6 * half:
        return "utf-16-be"
    return None


def _iso2022(data: bytes) -> str | None:
    """ISO-2022 writes Japanese and Korean in ASCII bytes between escapes, so that it would
    pass for UTF-8: which variant these bytes are in, or None."""
    if b"\x1b$" not in data or not data.isascii():
        return None
    for encoding in _ISO_2022:
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return None


def _detect(samples: list[bytes], job: Job) -> str | None:
    """The likeliest encoding of a text that is not UTF-8, or None."""
    # Imported when needed: few files need it, and starting up should not pay for it.
    from charset_normalizer import from_bytes

    for sample in samples:
        job.progress(0, None, "Telling the encoding")
        matches = list(from_bytes(sample, cp_isolation=_CANDIDATES))
        if not matches:
            continue
        best = matches[0]
        # Western encodings share most letters. Where little tells them apart, the commonest
        # by far wins.
        western = best.encoding in _WESTERN and best.encoding != "cp1254"
        for match in matches if western else []:
            even = match.chaos <= best.chaos + 0.07 and match.coherence >= best.coherence - 0.05
            if even and "cp1252" in match.could_be_from_charset:
                return "cp1252"
        one_byte_each = len(str(best)) == len(sample)
        if best.coherence == 0 and one_byte_each and _fits_western(sample):
            return "cp1252"
        return best.encoding
    return None


def _fits_western(sample: bytes) -> bool:
    """Whether a sample too small for its language to show could be Windows-1252."""
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return len(sample) - len(sample.translate(None, bytes(range(0x80, 0x100)))) < 32


def _samples(data: bytes) -> list[bytes]:
    """What the detector sees: all of a small file; of a large one the lines that are not
    ASCII, up to 64 kB. One enormous line is cut at four neighbouring places, because a cut
    inside a character of several bytes would rule out its true encoding."""
    if len(data) <= _SAMPLE:
        return [data]
    kept = bytearray()
    for match in re.finditer(rb"[^\n]*[\x80-\xff][^\n]*\n?", data):
        if len(kept) + len(match[0]) > _SAMPLE:
            break
        kept += match[0]
    if len(kept) >= 256:
        return [bytes(kept)]
    first = next((m.start() for m in re.finditer(rb"[\x80-\xff]", data)), 0)
    start = max(0, data.rfind(b" ", 0, first) + 1, data.rfind(b"\n", 0, first) + 1)
    return [data[start : start + _SAMPLE - trim] for trim in range(4)]
