"""Pins all packages, with the hashes of their files, for every Python from 3.11 on.

What a lock has already stays as it is, as far as the requirements allow.
"""

from installation.environment import LOCKS, ROOT, Environment

_OPTIONS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-emit-index-url")
# The head of a lock says how it was made; that command has no folder of this machine in it.
_MADE_BY = ("--custom-compile-command", "make lock")


def pin(environment: Environment) -> None:
    """Write both locks; the checks' has the versions that the other has.

    Raises:
        subprocess.CalledProcessError: there are no such versions.
    """
    environment.prepare()
    same_versions: tuple[str, ...] = ()
    for which, lock in LOCKS.items():
        requirements = str(ROOT / f"requirements-{which}.txt")
        options = (*_OPTIONS, *_MADE_BY, *same_versions, "--quiet")
        environment.uv("pip", "compile", *options, "--output-file", str(lock), requirements)
        same_versions = ("--constraints", str(lock))
