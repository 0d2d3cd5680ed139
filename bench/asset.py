"""Measures the functions' code: the zip that the CDK CLI would upload after a synthesis with the runtime's Python.

    python -m bench.asset

Peer: a function that bundles boto3 and Powertools, as `pip install -t` leaves them.
"""

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bench.table import Row
from infra.function_code import write_function_code

GOAL_BYTES = 1_500_000
# The CDK CLI dates every entry so that an unchanged asset has the same hash; it is the earliest date of a zip.
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
# The packages of the typical function, with their dependencies.
BUNDLED = (
    "annotated_types",
    "aws_lambda_powertools",
    "aws_xray_sdk",
    "boto3",
    "botocore",
    "dateutil",
    "jmespath",
    "pydantic",
    "pydantic_core",
    "s3transfer",
    "six.py",
    "typing_extensions.py",
    "typing_inspection",
    "urllib3",
    "wrapt",
)


def zip_as_the_cdk_does(files: Iterator[tuple[Path, str]], target: Path) -> None:
    """Write the zip of `files` (path, and name in the zip): deflated, every entry dated 1980."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, name in files:
            info = zipfile.ZipInfo(name, ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, path.read_bytes())


def tree(root: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield path, path.relative_to(root).as_posix()


def bundle() -> Iterator[tuple[Path, str]]:
    """The files of the typical function's packages, with pip's bytecode, from this environment."""
    import boto3

    site = Path(boto3.__file__).parents[1]
    for name in BUNDLED:
        if (site / name).is_file():
            yield site / name, name
        else:
            for path, inner in tree(site / name):
                yield path, f"{name}/{inner}"


def rows() -> Iterator[Row]:
    """One row: both zips in bytes."""
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory, "archive.zip")

        def size_of(files: Iterator[tuple[Path, str]]) -> int:
            zip_as_the_cdk_does(files, archive)
            return archive.stat().st_size

        sizes = []
        for bytecode in (True, False):
            code = Path(directory, f"code-{bytecode}")
            code.mkdir()
            write_function_code(code, bytecode=bytecode)
            sizes.append(size_of(tree(code)))
        (size, of_source), other = sizes, size_of(bundle())
    yield Row(
        number="3",
        what="zip of our functions / of one that bundles boto3 and Powertools",
        ours=f"{size / 1e6:.2f} MB, {of_source / 1e6:.2f} without bytecode",
        peer=f"{other / 1e6:.1f} MB",
        ratio=f"{size / other:.3f}",
        limit="the compressed source",
        goal=f"<= {GOAL_BYTES / 1e6:.1f} MB",
        met=size <= GOAL_BYTES,
    )


def main() -> None:
    for row in rows():
        print(*row, sep=" | ")


if __name__ == "__main__":
    main()
