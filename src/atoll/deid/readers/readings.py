"""The reader for each format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from atoll.deid.readers.csv import csv_readings
from atoll.deid.readers.reading import Reading
from atoll.model.contract import Format, TableContract


def readings(
    path: Path, table: TableContract, scratch: Path, parts: tuple[TableContract, ...] = ()
) -> Iterator[Reading]:
    """Ways of reading `path`, the fastest first; only CSV has more than one.

    `parts` are the tables that share the file, `table` among them; none of them: it alone.

    Raises `DeliveryRefused` when the file cannot be read as its contract says.
    """
    match table.format:
        case Format.CSV:
            yield from csv_readings(path, table, scratch)
        case Format.FHIR:
            from atoll.deid.readers.fhir import read_fhir

            yield read_fhir(path, table, parts or (table,))
        case Format.NDJSON:
            from atoll.deid.readers.ndjson import read_ndjson

            yield read_ndjson(path, table)
        case Format.XPT:
            from atoll.deid.readers.xpt import read_xpt

            yield Reading(read_xpt(path, table))
        case Format.DATASET_JSON:
            from atoll.deid.readers.dataset_json import read_dataset_json

            yield read_dataset_json(path, table)
        case Format.PARQUET:
            from atoll.deid.readers.parquet import read_parquet

            yield read_parquet(path, table)
        case Format.EXCEL:
            from atoll.deid.readers.excel import read_excel

            yield read_excel(path, table, parts or (table,))
        case Format.SAS7BDAT:
            from atoll.deid.readers.sas7bdat import read_sas7bdat

            yield read_sas7bdat(path, table)
        case Format.HL7:
            from atoll.deid.readers.hl7 import read_hl7

            yield read_hl7(path, table, parts)
        case Format.DICOM:
            from atoll.deid.readers.dicom import read_dicom

            yield read_dicom(path, table)
        case Format.VCF:
            from atoll.deid.readers.vcf import read_vcf

            yield read_vcf(path, table)
