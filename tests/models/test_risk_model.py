from __future__ import annotations

import hashlib
import json
import os
import re

import numpy as np
import pytest

from riskmodels.errors import DataError, ModelFileError
from riskmodels.models.calibration import CALIBRATORS
from riskmodels.models.families import MODELS
from riskmodels.models.risk_model import LARGEST, RiskModel, read_model_folder
from tests.models.planted import make_world

ALWAYS = {"manifest.json", "model.json", "features.json", "calibrator.json", "reasons.json"}


@pytest.fixture(scope="module")
def later():
    return make_world(rows=500, seed=99).frame


@pytest.fixture(scope="module", params=MODELS)
def model(request, world):
    return world.model(request.param)


@pytest.fixture(scope="module")
def saved(world) -> dict[str, bytes]:
    return world.model("points").to_files()


def sealed(files: dict[str, bytes], **changes: bytes) -> dict[str, bytes]:
    """Changed files under a manifest that was changed along with them."""
    files = files | {name.replace("_json", ".json"): content for name, content in changes.items()}
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {name: hashlib.sha256(files[name]).hexdigest() for name in manifest["files"]}
    return files | {"manifest.json": json.dumps(manifest).encode()}


# ---------------------------------------------------------------- round trip


@pytest.mark.parametrize("calibrator", CALIBRATORS)
def test_comes_back_bit_for_bit(world, later, model, calibrator):
    model = world.model(model.family, calibrator)
    files = model.to_files()
    again = RiskModel.from_files(files)
    assert again == model
    assert again.to_files() == files
    assert again.model_sha256 == model.model_sha256 == hashlib.sha256(files["manifest.json"]).hexdigest()
    for frame in (later, later.to_pandas()):
        np.testing.assert_array_equal(again.predict_risk(frame), model.predict_risk(later))
        np.testing.assert_array_equal(again.score(frame), model.score(later))
        # Read trees are explained by the fast kernel, fitted ones by LightGBM, which adds up in another order.
        np.testing.assert_allclose(again.contributions(frame), model.contributions(later), rtol=0, atol=1e-12)


def test_files_are_exactly_these(model):
    expected = ALWAYS | ({"booster.txt"} if model.family == "lightgbm" else set())
    files = model.to_files()
    assert set(files) == expected
    manifest = json.loads(files["manifest.json"])
    assert manifest == {
        "format": 3,
        "study": "planted",
        "family": model.family,
        "files": {name: hashlib.sha256(files[name]).hexdigest() for name in expected - {"manifest.json"}},
    }


def test_the_same_world_gives_the_same_model(model):
    assert make_world().model(model.family).to_files() == model.to_files()


def test_a_model_is_another_when_anything_changes(world):
    ways = [(family, how) for family in ("points", "logistic") for how in ("sigmoid", "isotonic")]
    assert len({world.model(family, how).model_sha256 for family, how in ways}) == 4


def test_no_time_no_path_no_id_inside(model):
    text = b"".join(model.to_files().values()).decode()
    assert not re.search(r"\b(19|20)\d\d-\d\d-\d\d", text)
    assert "p17" not in text
    assert "/" not in re.sub(r"[\d.]+/", "", text)


def test_risks_are_probabilities(world, later, model):
    risk = model.predict_risk(later)
    both = model.predict_proba(later)
    assert both.shape == (500, 2)
    np.testing.assert_array_equal(both[:, 1], risk)
    np.testing.assert_allclose(both.sum(axis=1), 1.0)
    assert ((risk > 0) & (risk < 1)).all()
    assert model.predict_risk(later[:0]).shape == (0,)


def test_a_frame_without_a_column_is_refused(model, later):
    with pytest.raises(DataError, match="'income' is not there"):
        model.predict_risk(later.drop("income"))


# ---------------------------------------------------------------- what is refused


def test_refuses_a_changed_byte_in_any_file(model):
    files = model.to_files()
    for name in set(files) - {"manifest.json"}:
        changed = files | {name: files[name][:-1] + b" "}
        with pytest.raises(ModelFileError, match=f"^{re.escape(name)}: was changed after"):
            RiskModel.from_files(changed)


def test_refuses_a_missing_file(model):
    files = model.to_files()
    for name in files:
        with pytest.raises(ModelFileError, match=f"^{re.escape(name)}: is missing"):
            RiskModel.from_files({kept: content for kept, content in files.items() if kept != name})


@pytest.mark.parametrize("name", ["model.pkl", "../model.json", "model.json\nx", "code/x.py", "x" * 500])
def test_refuses_a_foreign_file(saved, name):
    with pytest.raises(ModelFileError, match="does not belong in a saved model") as refusal:
        RiskModel.from_files(saved | {name: b""})
    assert len(str(refusal.value)) < 200


def test_refuses_trees_beside_a_model_without_trees(saved):
    with pytest.raises(ModelFileError, match=r"^booster\.txt: does not belong to this model"):
        RiskModel.from_files(saved | {"booster.txt": b"tree"})


def test_refuses_what_is_too_large(saved):
    with pytest.raises(ModelFileError, match=r"^manifest\.json: is larger than 1 MB"):
        RiskModel.from_files(saved | {"manifest.json": b" " * (LARGEST["manifest.json"] + 1)})


DEEP = b"[" * 200_000
MANIFESTS = {
    "deep": (DEEP, "not readable as JSON"),
    "not UTF-8": (b"\xff\xfe", "not readable as JSON"),
    "a key twice": (b'{"format": 3, "format": 3}', "not readable as JSON"),
    "no number": (b'{"format": NaN}', "not readable as JSON"),
    "a number without end": (b'{"format": 3e999}', "not readable as JSON"),
    "ten thousand digits": (b'{"format": ' + b"9" * 10_000 + b"}", "not readable as JSON"),
    "a list": (b"[]", "does not list the files"),
    "another format": (b'{"format": 4, "study": "s", "family": "points", "files": {}}', "has format 4"),
    "an earlier format": (b'{"format": 2, "study": "s", "family": "points", "files": {}}', "has format 2"),
    "another family": (b'{"format": 3, "study": "s", "family": "oracle", "files": {}}', "does not list the files"),
    "a family that is a list": (b'{"format": 3, "study": "s", "family": [], "files": {}}', "does not list the files"),
    "no files": (b'{"format": 3, "study": "s", "family": "points", "files": {}}', "does not list the files"),
    "files that are a number": (b'{"format": 3, "study": "s", "family": "points", "files": 3}', "does not list"),
}


@pytest.mark.parametrize("how", MANIFESTS)
def test_refuses_a_manifest_that_is_none(saved, how):
    content, words = MANIFESTS[how]
    with pytest.raises(ModelFileError, match=words) as refusal:
        RiskModel.from_files(saved | {"manifest.json": content})
    assert "\n" not in str(refusal.value)


def edited(files: dict[str, bytes], name: str, edit) -> bytes:
    raw = json.loads(files[name])
    edit(raw)
    return json.dumps(raw).encode()


SHAPES = {
    "deep": ("model.json", lambda raw: None, "not readable as JSON"),
    "another study": ("model.json", lambda raw: raw.update(study="other"), "is another model than manifest.json says"),
    "no fitted": ("model.json", lambda raw: raw.pop("fitted"), "is not of the shape"),
    "fitted is a list": ("model.json", lambda raw: raw.update(fitted=[1]), "is not of the shape"),
    "a term on an unknown feature": (
        "model.json",
        lambda raw: raw["fitted"]["terms"][0].update(feature="postcode"),
        "names postcode, which features.json does not know",
    ),
    "a term of no shape": (
        "model.json",
        lambda raw: raw["fitted"]["terms"][0].update(shape="x"),
        "is not of the shape",
    ),
    "no columns": ("features.json", lambda raw: raw.clear(), "is not of the shape"),
    "a column twice": ("features.json", lambda raw: raw.append(raw[0]), "is not of the shape"),
    "a vocabulary out of order": (
        "features.json",
        lambda raw: raw[3]["vocabulary"].reverse(),
        "is not of the shape",
    ),
    "a number that fills a category": ("features.json", lambda raw: raw[3].update(fill=1.0), "is not of the shape"),
    "a kind that is none": ("features.json", lambda raw: raw[0].update(kind="image"), "is not of the shape"),
    "a typical word of a number": ("features.json", lambda raw: raw[0].update(typical="x"), "is not of the shape"),
    "words of another feature": ("reasons.json", lambda raw: raw.update(postcode={}), "is not of the shape"),
    "words that are none": (
        "reasons.json",
        lambda raw: raw["features"]["reading"].update(words=3),
        "is not of the shape",
    ),
    "no words": ("reasons.json", lambda raw: raw["features"].pop("reading"), "is not of the shape"),
    "words too many": ("reasons.json", lambda raw: raw["features"].update(postcode={}), "is not of the shape"),
    "a word that nobody knows": (
        "reasons.json",
        lambda raw: raw["features"]["reading"].update(colour="red"),
        "is not of the shape",
    ),
    "a time that is none": (
        "reasons.json",
        lambda raw: raw["features"]["reading"].update(stale_after="soon"),
        "is not of the shape",
    ),
    "no wobble": ("reasons.json", lambda raw: raw.pop("wobble"), "is not of the shape"),
    "a wobble of nothing": ("reasons.json", lambda raw: raw["wobble"].update(postcode=1.0), "is not of the shape"),
    "a wobble below nought": ("reasons.json", lambda raw: raw["wobble"].update(reading=-1.0), "is not of the shape"),
    "a wobble in words": ("reasons.json", lambda raw: raw["wobble"].update(reading="1"), "is not of the shape"),
    "no directions": ("reasons.json", lambda raw: raw.pop("directions"), "is not of the shape"),
    "a direction of nothing": ("reasons.json", lambda raw: raw["directions"].update(postcode=1), "is not of the shape"),
    "a direction too far": ("reasons.json", lambda raw: raw["directions"].update(reading=2), "is not of the shape"),
    "a direction in words": ("reasons.json", lambda raw: raw["directions"].update(reading="1"), "is not of the shape"),
    "a direction that is a truth": (
        "reasons.json",
        lambda raw: raw["directions"].update(reading=True),
        "is not of the shape",
    ),
    "a falling risk": ("calibrator.json", lambda raw: raw.update(slope=-1.0), "is not of the shape"),
    "a calibrator of no shape": ("calibrator.json", lambda raw: raw.update(shape="x"), "is not of the shape"),
}


@pytest.mark.parametrize("how", SHAPES)
def test_refuses_files_of_another_shape_even_under_their_own_manifest(saved, how):
    name, edit, words = SHAPES[how]
    content = DEEP if how == "deep" else edited(saved, name, edit)
    with pytest.raises(ModelFileError, match=words) as refusal:
        RiskModel.from_files(sealed(saved | {name: content}))
    assert "\n" not in str(refusal.value)


def test_refuses_forged_trees_under_their_own_manifest(world):
    files = world.model("lightgbm").to_files()
    RiskModel.from_files(sealed(files))
    forged = files["booster.txt"].replace(b"num_leaves=15", b"num_leaves=99", 1)
    with pytest.raises(ModelFileError, match=r"^booster\.txt: is not a set of trees"):
        RiskModel.from_files(sealed(files | {"booster.txt": forged}))


# ---------------------------------------------------------------- folders


def write(folder, files):
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_reads_a_folder(tmp_path, saved):
    assert read_model_folder(write(tmp_path / "riskmodel", saved)) == saved


def test_refuses_a_folder_that_is_not_there(tmp_path, saved):
    with pytest.raises(ModelFileError, match="is not a folder"):
        read_model_folder(tmp_path / "none")
    (tmp_path / "link").symlink_to(write(tmp_path / "riskmodel", saved))
    with pytest.raises(ModelFileError, match="is not a folder"):
        read_model_folder(tmp_path / "link")


def test_refuses_links_folders_pipes_and_foreign_names(tmp_path, saved):
    def folder_with(name, make):
        folder = write(tmp_path / name, saved)
        (folder / "booster.txt").unlink(missing_ok=True)
        make(folder / "booster.txt")
        return folder

    outside = tmp_path / "outside"
    outside.write_text("tree")
    with pytest.raises(ModelFileError, match="is not a plain file"):
        read_model_folder(folder_with("link", lambda path: path.symlink_to(outside)))
    with pytest.raises(ModelFileError, match="is not a plain file"):
        read_model_folder(folder_with("folder", lambda path: path.mkdir()))
    with pytest.raises(ModelFileError, match="is not a plain file"):
        read_model_folder(folder_with("pipe", os.mkfifo))
    with pytest.raises(ModelFileError, match="does not belong in a saved model"):
        read_model_folder(write(tmp_path / "foreign", saved | {"model.pkl": b""}))


def test_refuses_a_large_file_before_reading_it(tmp_path, saved):
    folder = write(tmp_path / "riskmodel", saved)
    with (folder / "booster.txt").open("wb") as file:
        file.truncate(LARGEST["booster.txt"] + 1)
    with pytest.raises(ModelFileError, match=r"^booster\.txt: is larger than 512 MB"):
        read_model_folder(folder)
