"""Names of medicines out of the dictionary of the package drug-named-entity-recognition."""

import bz2
import pickle
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from local.engines.entities.words import word_list

_PACKAGE = "drug_named_entity_recognition"
_DICTIONARY = "drug_ner_dictionary.pkl.bz2"
_MEDICINE_SOURCES = frozenset({"medline_plus_id", "nhs_url", "drugbank_id"})
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[ -][a-z0-9]+){0,2}")
_FORM = re.compile(
    r" (?:inhalers?|tablets?|capsules?|cream|ointment|gel|lotion|patch|injection|syrup|solution|spray|drops|oral"
    r"|topical)$"
)
_SHORTEST_NAME = 5
_SHARED_STEM = 4
_EVERYDAY_WORDS = word_list("not a medicine")


def medicines() -> Iterator[tuple[str, bool]]:
    """(name in lower case, whether it is a brand) of each medicine that a drug reference describes.

    The package also lists laboratory chemicals, enzymes and words that are ordinary English: left out. It seldom says
    which names are brands, so a single word that shares no stem with the generic name it stands for is taken for one.
    """
    with bz2.open(_dictionary_path()) as file:
        data = pickle.load(file)
    described = data["drug_canonical_to_data"]
    for name, generics in data["drug_variant_to_canonical"].items():
        if generics is None or len(name) < _SHORTEST_NAME or not _NAME.fullmatch(name) or name in _EVERYDAY_WORDS:
            continue
        if _FORM.search(name):
            continue  # the form is an attribute of the medicine, not part of its name
        if not any(_MEDICINE_SOURCES & described.get(generic, {}).keys() for generic in generics):
            continue
        flag = data["drug_variant_to_variant_data"].get(name, {}).get("is_brand")
        yield name, _looks_like_a_brand(name, generics) if flag is None else flag


def _looks_like_a_brand(name: str, generics: list[str]) -> bool:
    return name.isalpha() and not any(
        name[:_SHARED_STEM] == word[:_SHARED_STEM] for generic in generics for word in re.split(r"[ /-]", generic)
    )


def _dictionary_path() -> Path:
    # Importing the package would index the whole dictionary again and open a cache file in the user's home directory.
    package = find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError(f"The package {_PACKAGE} is not installed; its dictionary has the names of medicines")
    return Path(package.submodule_search_locations[0], _DICTIONARY)
