"""The documents that an ended entity detection job has an output for, by the names of its files.

Functions that read no output start faster without the package that parses outputs.
"""

from lambdas.shared.state import EntityOutput
from lambdas.shared.storage import find_head, list_keys
from lambdas.shared.uris import parse_uri


def finished_documents(bucket: str, result: EntityOutput) -> set[str] | None:
    """The documents with an output of the job that ended with `result`.

    None if the manifest is missing: the output has probably expired, so it is unknown which documents had one.
    """
    _, prefix = parse_uri(result["output_uri"])
    if find_head(bucket, within(prefix, result["manifest_path"])) is None:
        return None
    keys = list_keys(bucket, prefix)
    return {key.removeprefix(prefix).removesuffix(".out") for key in keys if key.endswith(".out")}


def within(prefix: str, path: str) -> str:
    """The key of a file that Describe or the manifest names by a URI, a key, or a path from the output directory on."""
    if path.startswith("s3://"):
        return parse_uri(path)[1]
    if path.startswith(prefix):
        return path
    # AWS's example has `<output directory>/Manifest` without the prefix above the directory.
    directory = prefix.rstrip("/").rpartition("/")[2] + "/"
    return prefix + path.removeprefix(directory)
