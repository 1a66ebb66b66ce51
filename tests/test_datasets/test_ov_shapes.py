"""OV-Shapes: what is drawn is what the annotation says."""

import gzip
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from open_clip import SimpleTokenizer

import openvocab
from openvocab.datasets.caption_views import CaptionViewDataset, write_caption_views
from openvocab.datasets.ov_shapes import TEXTURES, World, draw_scene
from openvocab.datasets.ov_shapes.captions import caption_phrase
from openvocab.datasets.ov_shapes.scene import Scene
from openvocab.datasets.ov_shapes.shapes import shape_mask
from openvocab.datasets.ov_shapes.textures import texture
from openvocab.datasets.ov_shapes.vocabulary import (
    learn_merges,
    merges_file,
    vocabulary_json,
)
from openvocab.datasets.ov_shapes.world import NOVEL_THINGS, SHAPES, class_names
from openvocab.datasets.ov_shapes.writer import write_ov_shapes

PACKAGE = Path(openvocab.__file__).parent


def rng(*key: int) -> np.random.Generator:
    return np.random.default_rng(key)


def test_same_seed_same_scene_other_index_other_scene():
    first, again = (draw_scene(rng(0, 5), World()) for _ in range(2))
    assert (first.image == again.image).all()
    assert [s.name for s in first.segments] == [s.name for s in again.segments]
    assert (draw_scene(rng(0, 6), World()).image != first.image).any()


@pytest.mark.parametrize('size', [64, 97, 128])
def test_segments_partition_the_canvas(size):
    for index in range(8):
        scene = draw_scene(rng(1, index), World(size=size))
        cover = sum(s.mask.astype(int) for s in scene.segments)
        assert scene.image.shape == (size, size, 3)
        assert (cover == 1).all()
        assert sum(not s.is_thing for s in scene.segments) <= 4
        assert all(s.mask.any() for s in scene.segments)
        assert {s.name for s in scene.segments} <= set(class_names())


def test_a_thing_has_the_colour_of_its_name():
    hues = {'red': 2, 'green': 1, 'blue': 0}
    seen = set()
    for index in range(40):
        scene = draw_scene(rng(2, index), World())
        for segment in scene.segments:
            colour = segment.name.split()[0]
            if segment.is_thing and colour in hues and segment.mask.sum() > 150:
                mean = scene.image[segment.mask].mean(axis=0)
                assert mean.argmax() == hues[colour], segment.name
                seen.add(colour)
    assert seen == set(hues)


def test_things_do_not_touch_each_other_when_full_visibility_is_asked_for():
    world = World(max_things=6, min_visible=1.0)
    for index in range(10):
        scene = draw_scene(rng(3, index), world)
        for segment in scene.segments:
            if segment.is_thing:
                x1, y1, x2, y2 = segment.amodal_box
                rows, columns = np.nonzero(segment.mask)
                assert (columns.min(), rows.min()) == (x1, y1)
                assert (columns.max() + 1, rows.max() + 1) == (x2, y2)


@pytest.mark.parametrize('shape', SHAPES)
def test_shape_masks_fill_their_square_differently(shape):
    mask = shape_mask(shape, 48, rng(4))
    assert mask.shape == (48, 48)
    assert 0.2 < mask.mean() < 0.9
    assert mask[24, 24] == (0 if shape == 'ring' else 1)


@pytest.mark.parametrize('name', TEXTURES)
def test_textures_vary_and_take_odd_sizes(name):
    patches = [texture(name, rng(5, i), 33, 57) for i in range(2)]
    assert patches[0].shape == (33, 57, 3)
    assert (patches[0] != patches[1]).any()


def test_unknown_texture_and_bad_world_name_the_culprit():
    with pytest.raises(KeyError, match='lava'):
        texture('lava', rng(0), 8, 8)
    with pytest.raises(ValueError, match='size'):
        World(size=8)
    with pytest.raises(ValueError, match='thing_diameter'):
        World(thing_diameter=(0.5, 0.2))


def test_captions_name_the_largest_things_and_seldom_the_ground():
    phrases, scenes = [], []
    for index in range(300):
        generator = rng(6, index)
        scene = draw_scene(generator, World(size=64))
        phrases.append(caption_phrase(generator, scene))
        scenes.append(scene)
    with_things = [i for i, s in enumerate(scenes) if s.names(is_thing=True)]
    for i in with_things:
        assert phrases[i].startswith(scenes[i].names(is_thing=True)[0])
    share = np.mean([' on ' in phrases[i] for i in with_things])
    assert 0.08 < share < 0.23


def test_ground_is_named_when_there_is_nothing_else():
    scene = draw_scene(rng(7), World())
    bare = Scene(scene.image, tuple(s for s in scene.segments if not s.is_thing))
    assert caption_phrase(rng(8), bare) in TEXTURES


def test_files_agree_with_each_other(tmp_path):
    record = write_ov_shapes(tmp_path, {'train': 3, 'val': 2}, World(size=64), seed=3)
    assert record['written']['train']['images'] == 3
    panoptic = json.loads((tmp_path / 'annotations/panoptic_train.json').read_text())
    instances = json.loads((tmp_path / 'annotations/instances_train.json').read_text())
    names = {c['id']: c['name'] for c in panoptic['categories']}
    assert list(names.values()) == list(class_names())
    things = 0
    for entry in panoptic['annotations']:
        folder = tmp_path / 'annotations'
        png = cv2.imread(str(folder / 'panoptic_train' / entry['file_name']))
        ids = png[..., 2] + 256 * png[..., 1].astype(int)
        semantic = cv2.imread(str(folder / 'semantic_train' / entry['file_name']), 0)
        for info in entry['segments_info']:
            mask = ids == info['id']
            assert mask.sum() == info['area']
            assert (semantic[mask] == info['category_id'] - 1).all()
            x, y, w, h = info['bbox']
            rows, columns = np.nonzero(mask)
            assert (x, y) == (columns.min(), rows.min())
            assert (w, h) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
            things += info['category_id'] <= 36
    assert len(instances['annotations']) == things


def test_an_existing_world_is_kept_and_another_refused(tmp_path):
    first = write_ov_shapes(tmp_path, {'val': 1}, World(size=64))
    stamp = (tmp_path / 'val/000000.jpg').stat().st_mtime_ns
    assert write_ov_shapes(tmp_path, {'val': 1}, World(size=64)) == first
    assert (tmp_path / 'val/000000.jpg').stat().st_mtime_ns == stamp
    with pytest.raises(ValueError, match='another world'):
        write_ov_shapes(tmp_path, {'val': 2}, World(size=64))
    with pytest.raises(ValueError, match='tset'):
        write_ov_shapes(tmp_path, {'tset': 2})


def test_packaged_vocabulary_is_what_the_world_says():
    packaged = PACKAGE / 'vocab/classes/ov_shapes.json'
    assert packaged.read_bytes() == vocabulary_json()
    classes = json.loads(packaged.read_text())['classes']
    assert [c['name'] for c in classes] == list(class_names())
    assert {c['name'] for c in classes if c['split'] == 'novel'} == NOVEL_THINGS
    # Every colour and every shape of a novel thing occurs among the base things.
    base = ' '.join(c['name'] for c in classes if c['split'] == 'base')
    for name in NOVEL_THINGS:
        assert all(word in base for word in name.split())


def test_merges_make_one_token_of_every_known_word(tmp_path):
    words = ['circle', 'cross', 'red', 'in', 'the']
    path = tmp_path / 'bpe.txt.gz'
    path.write_bytes(merges_file(learn_merges(words)))
    assert gzip.decompress(path.read_bytes()).startswith(b'#version')
    tokenizer = SimpleTokenizer(bpe_path=str(path), context_length=8)
    assert all(len(tokenizer.encode(word)) == 1 for word in words)
    assert tokenizer.decode(tokenizer.encode('zebra')).strip() == 'zebra'


def test_caption_views_round_trip(tmp_path):
    write_caption_views(tmp_path, 6, seed=1)
    views = CaptionViewDataset(str(tmp_path), flip=False)
    assert len(views) == 6
    item = views[2]
    assert item['inputs'].shape == (3, 64, 64)
    assert item['data_samples']['phrase'] in item['data_samples']['caption']
    stamp = (tmp_path / 'views.npy').stat().st_mtime_ns
    write_caption_views(tmp_path, 6, seed=1)
    assert (tmp_path / 'views.npy').stat().st_mtime_ns == stamp
    with pytest.raises(FileNotFoundError, match='caption-views'):
        CaptionViewDataset(str(tmp_path / 'nowhere'))
