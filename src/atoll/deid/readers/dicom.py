"""DICOM files: their header as one row. Pixels do not enter; the lake keeps tables.

Source of the rules: DICOM PS3.15, annex E; see `dicom_profile`.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import pydicom
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from atoll.deid.readers.nested_rows import BadRecordError, Entry, NestedRows, Value, nested_reading
from atoll.deid.readers.reading import Reading
from atoll.deid.readers.refusal import FileRefused
from atoll.deid.readers.streamed import Notes, library_at_work
from atoll.model.contract import TableContract

# Its warnings quote values of the file.
logging.getLogger("pydicom").disabled = True

_PREAMBLE_BYTES = 128
_UNDEFINED = 0xFFFFFFFF
_LARGE_BYTES = 1 << 20
_TODO = "Write the file again as DICOM part 10 and deliver it anew."
_DAMAGED = "The header of the image is damaged or cut off."
_NO_TEXT = ("OB", "OD", "OF", "OL", "OV", "OW", "UN")
#: Kinds of image that often show names and numbers in their pixels (PS3.15 E.3.1 asks that
#: such images be looked at): ultrasound, captures of screens and scans of paper, endoscopy, photographs.
_OFTEN_WRITTEN_ON = ("US", "SC", "OT", "ES", "XC", "DOC", "IVUS", "OP", "SM")
_DAY = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)\Z")
_MOMENT = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\.\d{1,6})?([+-]\d{4})?\Z")


def read_dicom(path: Path, table: TableContract) -> Reading:
    """The header of an image as one row; rules name attributes by keyword (`StudyDate`).

    Nested items are `RequestAttributesSequence[0].StudyID`, several values `ImageType[*]`,
    private attributes `(0009,1001)`. Days and moments are ISO 8601. All columns are String.

    An image that says, or is of a kind that may be feared, to show identifying text is
    held for review (rule `burned_in`), unless the table's `burned_in` is `metadata`.

    Raises:
        FileRefused: the file is none (rule `format`), or while reading: damaged or cut off (`damaged`, `cut_off`).
    """
    with path.open("rb") as file:
        file.seek(_PREAMBLE_BYTES)
        if file.read(4) != b"DICM":
            raise FileRefused("The file does not start as DICOM part 10.", rule="format", todo=_TODO)
    return nested_reading(NestedRows(table), _Source(path, table).entries, "DICOM")


@dataclass(frozen=True)
class _Source:
    path: Path
    table: TableContract

    def entries(self, notes: Notes) -> Iterator[list[Entry]]:
        del notes
        with library_at_work(_DAMAGED, _TODO), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with self.path.open("rb") as file:
                image = pydicom.dcmread(file, stop_before_pixels=True, defer_size=_LARGE_BYTES)
                pixels = _pixels(file, self.path.stat().st_size)
            deflated = image.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian
            short = pixels == "cut off" or any(_is_short(image, tag) for tag in list(image.keys()))
            value = _values(image)
            kind = str(value.get("SOPClassUID") or "")
            is_image = "Rows" in value or (kind != "" and "Image Storage" in UID(kind).name)
        if short or not value or not kind or (is_image and pixels == "none" and not deflated):
            raise FileRefused(_DAMAGED, rule="cut_off", todo=_TODO)
        fear = _fear(image, value) if self.table.burned_in == "hold" else None
        bad = None if fear is None else BadRecordError("burned_in", fear)
        yield [Entry(1, value, repr, value if bad is None else None, bad)]


def _is_short(image: Dataset, tag: BaseTag) -> bool:
    """Whether the file ends within the attribute: pydicom takes what there is and says nothing."""
    element = image.get_item(tag)
    if not isinstance(element, RawDataElement) or element.value is None or element.length == _UNDEFINED:
        return False
    return len(element.value) < element.length


def _pixels(file: BinaryIO, size_bytes: int) -> str:
    """`none`, `whole` or `cut off`: the pixels that begin where reading stopped, by the length that they declare."""
    start = file.tell()
    if start >= size_bytes:
        return "none"
    head = file.read(12)
    explicit = head[4:6] in (b"OB", b"OW", b"OF", b"OD", b"OV", b"UN")
    order: Literal["big", "little"] = "big" if head[:2] == b"\x7f\xe0" else "little"
    length = int.from_bytes(head[8:12] if explicit else head[4:8], order)
    end = start + (12 if explicit else 8) + length
    return "cut off" if len(head) < 12 or (length != _UNDEFINED and end > size_bytes) else "whole"


def _fear(image: Dataset, value: Value) -> str | None:
    """Why somebody must look at the pixels first; None when nothing speaks for it."""
    said = value.get("BurnedInAnnotation")
    if said == "YES":
        return "The image says that identifying text is burned into its pixels."
    if any(element.tag.group & 0xFF00 == 0x6000 and element.tag.element == 0x3000 for element in image):
        return "The image has an overlay, which may show identifying text."
    if said != "NO" and value.get("Modality") in _OFTEN_WRITTEN_ON:
        return "Images of this kind often show identifying text, and this one does not say that it has none."
    return None


def _values(image: Dataset) -> Value:
    return {_name(element): _value(element) for element in image}


def _name(element: DataElement) -> str:
    return element.keyword or f"({element.tag.group:04X},{element.tag.element:04X})"


def _value(element: DataElement) -> object:
    value = element.value
    if isinstance(value, Items):
        return [_values(item) for item in value]
    if element.VR in _NO_TEXT or isinstance(value, bytes):
        return {"bytes": "not text"}
    if isinstance(value, MultiValue | list):
        return [_text(one, element.VR) for one in value]
    return _text(value, element.VR)


def _text(value: object, representation: str) -> str | None:
    text = "" if value is None else str(value).strip(" \0")
    if representation == "DA":
        text = _DAY.sub(r"\1-\2-\3", text)
    elif representation == "DT" and (match := _MOMENT.match(text)):
        year, month, day, hour, minute, second, fraction, zone = match.groups(default="")
        date = "-".join(part for part in (year, month, day) if part)
        time = f"T{hour}:{minute or '00'}:{second or '00'}{fraction}{zone}" if hour else ""
        text = date + time
    return text or None
