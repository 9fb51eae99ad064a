"""A bill of materials, in CycloneDX: what the lock installs with us, with hashes, licences and who needs whom.

It has no time and no number of its own: the same lock and the same installed packages give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from riskmodels import storage
from supply_chain.installed import Installed
from supply_chain.lock import Locked

SCHEMA = SchemaVersion.V1_6
OURS = "riskmodels"


def build_sbom(version: str, licence: str, locks: Mapping[str, Sequence[Locked]], found: Iterable[Installed]) -> bytes:
    """The bill of materials of our package, as JSON.

    Parameters
    ----------
    version, licence : of our own package
    locks : the rows of each file of locked requirements, by its name
    found : what is installed: licences and needs are read there, where the version is the lock's. Packages for other
        machines stand without.
    """
    here = {(one.name, one.version): one for one in found}
    rows: dict[tuple[str, str], dict[str, Locked]] = {}
    for name, lock in locks.items():
        for row in lock:
            rows.setdefault((row.name, row.version), {})[name] = row
    components = {key: _component(key, by_lock, here.get(key)) for key, by_lock in sorted(rows.items())}
    ours = Component(
        name=OURS, version=version, type=ComponentType.APPLICATION, bom_ref=f"{OURS}=={version}",
        purl=PackageURL("pypi", None, OURS, version), licenses=[LicenseFactory().make_from_string(licence)],
    )  # fmt: skip
    bom = Bom(components=components.values())
    bom.metadata.component = ours
    by_name = {name: components[name, at] for name, at in here if (name, at) in components}
    for component, one in ((ours, here.get((OURS, version))), *((it, here.get(key)) for key, it in components.items())):
        needs = one.needs if one else ()
        bom.register_dependency(component, [by_name[name] for name in needs if name in by_name])
    return _without_moment(JsonV1Dot6(bom).output_as_string())


def _component(key: tuple[str, str], by_lock: Mapping[str, Locked], found: Installed | None) -> Component:
    name, version = key
    purl = PackageURL("pypi", None, name, version)
    hashes = {one for row in by_lock.values() for one in row.hashes}
    return Component(
        name=name, version=version, type=ComponentType.LIBRARY, bom_ref=f"{name}=={version}", purl=purl,
        licenses=[LicenseFactory().make_from_string(found.licence)] if found and found.licence else [],
        # The hashes are of the files that a package comes as, one for each kind of machine: not of the package.
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION, url=XsUri(str(purl)), comment="one of these files",
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in sorted(hashes)],
            )
        ],
        properties=[
            *(Property(name="riskmodels:lock", value=lock) for lock in by_lock),
            *(Property(name="riskmodels:when", value=when) for when in _conditions(by_lock.values())),
        ],
    )  # fmt: skip


def _conditions(rows: Iterable[Locked]) -> set[str]:
    return {str(row.marker) for row in rows if row.marker is not None}


def _without_moment(text: str) -> bytes:
    """The library writes when it was made, and a number drawn at random."""
    content = json.loads(text)
    del content["serialNumber"], content["metadata"]["timestamp"]
    return storage.canonical_json(content)


def faults_of(content: bytes) -> list[str]:
    """What is wrong with a bill of materials by CycloneDX's own schema, which comes with the library."""
    fault = JsonStrictValidator(SCHEMA).validate_str(content.decode())
    return [] if fault is None else [" ".join(str(fault).split())[:300]]
