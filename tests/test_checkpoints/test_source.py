"""Checkpoints by path and by name; the servers are loopback and made up."""

import hashlib
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub
import pytest
import torch
from mmengine.runner import CheckpointLoader, load_checkpoint

from helpers.tiny_clip import write_arch
from openvocab.checkpoints import CheckpointError, download, source
from openvocab.checkpoints.source import find_checkpoint, is_location
from openvocab.engine.safe_loading import refuse_code_in_checkpoints

CONTENT = b'content of a checkpoint' * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """Folder of downloads."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
    monkeypatch.delenv('HF_HUB_OFFLINE', raising=False)
    return tmp_path / 'torch' / 'hub' / 'checkpoints'


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.path.startswith('/gone'):
            self.send_error(404)
            return
        self.send_response(200)
        cut = self.path.startswith('/cut')
        self.send_header('Content-Length', str(len(CONTENT) + 9 * cut))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def server():
    server = ThreadingHTTPServer(('127.0.0.1', 0), _Handler)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def address(server, path: str) -> str:
    return f'http://127.0.0.1:{server.server_port}/{path}'


def left_over(cache: Path) -> list[str]:
    return [p.name for p in cache.glob('*') if p.suffix != '.lock']


def test_a_file_and_its_sha256(tmp_path):
    path = tmp_path / 'a.pt'
    path.write_bytes(CONTENT)
    assert find_checkpoint(path) == path
    for digits in (SHA256, SHA256[:8], SHA256[:12].upper()):
        assert find_checkpoint(f'{path}#sha256={digits}') == path
    message = f'sha256 is {SHA256[:8]}, expected 00000000'
    with pytest.raises(CheckpointError, match=message):
        find_checkpoint(f'{path}#sha256=00000000')
    for wrong in ('123', 'xyzxyzxyz', '', 65 * '0'):
        with pytest.raises(CheckpointError, match='8 to 64 hexadecimal'):
            find_checkpoint(f'{path}#sha256={wrong}')
    with pytest.raises(FileNotFoundError, match=r'none\.pt does not exist'):
        find_checkpoint(tmp_path / 'none.pt')


def test_what_is_a_location():
    for name in (
        'a.pt',
        'a/b',
        'hf-hub:a/b/c',
        'https://x/y',
        'openvocab://u',
        'a.pt#',
    ):
        assert is_location(name) == (name != 'a.pt#')
    assert not is_location('laion2b_s34b_b88k') and not is_location('openai')


def test_packaged_weights(tmp_path, monkeypatch):
    assert find_checkpoint('openvocab://ov-shapes-u').is_file()
    monkeypatch.setattr(source, 'WEIGHTS_DIR', tmp_path)
    with pytest.raises(FileNotFoundError, match='there are: none'):
        find_checkpoint('openvocab://ov-shapes-u')


def test_a_download_is_checked_kept_and_named_after_its_address(server, cache):
    names = [f'{address(server, f"{i}/epoch_6.pt")}#sha256={SHA256}' for i in (1, 2)]
    first, second = (find_checkpoint(name) for name in names)
    assert first != second and first.parent == cache and first.suffix == '.pt'
    assert first.read_bytes() == second.read_bytes() == CONTENT
    assert find_checkpoint(names[0]) == first
    assert server.asked == ['/1/epoch_6.pt', '/2/epoch_6.pt']
    with pytest.raises(CheckpointError, match='expected 11111111'):
        find_checkpoint(f'{address(server, "1/epoch_6.pt")}#sha256=11111111')
    first.write_bytes(b'damaged since')
    with pytest.raises(CheckpointError, match='delete it'):
        find_checkpoint(names[0])


def test_another_file_is_never_kept(server, cache):
    for path, digits in (('a.pt', '0' * 64), ('cut/a.pt', SHA256)):
        with pytest.raises(
            (CheckpointError, FileNotFoundError),
            match=r'sha256.*nothing was kept|trunc|Incom',
        ) as caught:
            find_checkpoint(f'{address(server, path)}#sha256={digits}')
        assert 'delete' not in str(caught.value)
        assert left_over(cache) == []


def test_plain_http_needs_a_sha256(server):
    with pytest.raises(CheckpointError, match='http is not protected'):
        find_checkpoint(address(server, 'a.pt'))
    assert server.asked == []


def test_several_processes_download_once(server):
    name = f'{address(server, "a.pt")}#sha256={SHA256}'
    threads = [threading.Thread(target=find_checkpoint, args=(name,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.asked == ['/a.pt']


def test_what_cannot_be_downloaded_says_what_to_do(server, cache, monkeypatch):
    name = f'{address(server, "gone.pt")}#sha256={SHA256}'
    with pytest.raises(
        FileNotFoundError, match=r'HTTPError.*404.*save it as'
    ) as caught:
        find_checkpoint(name)
    message = str(caught.value)
    assert address(server, 'gone.pt') in message and '\n' not in message
    path = Path(message.partition('save it as ')[2].partition(', or')[0])
    assert path.parent == cache
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(CONTENT)
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    assert find_checkpoint(name) == path
    assert server.asked == ['/gone.pt']


def test_offline_nothing_is_asked(server, monkeypatch):
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    with pytest.raises(FileNotFoundError, match='HF_HUB_OFFLINE is set'):
        find_checkpoint(f'{address(server, "a.pt")}#sha256={SHA256}')
    assert server.asked == []


def test_files_of_the_hub(tmp_path, cache, monkeypatch):
    asked = []

    def hub(repo, name, revision=None, local_files_only=False):
        asked.append((repo, name, revision, local_files_only))
        if local_files_only:
            raise OSError('not cached')
        (tmp_path / 'hub.pt').write_bytes(CONTENT)
        return str(tmp_path / 'hub.pt')

    monkeypatch.setattr(huggingface_hub, 'hf_hub_download', hub)
    name = f'hf-hub:org/repo.v1@main/folder/a.pt#sha256={SHA256}'
    assert find_checkpoint(name) == tmp_path / 'hub.pt'
    expected = ('org/repo.v1', 'folder/a.pt', 'main')
    assert asked == [(*expected, True), (*expected, False)]
    with pytest.raises(CheckpointError, match='expected hf-hub:ORG/REPO/FILE'):
        find_checkpoint('hf-hub:org/repo')

    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    asked.clear()
    with pytest.raises(FileNotFoundError) as caught:
        find_checkpoint('hf-hub:org/repo/a.pt')
    assert 'https://huggingface.co/org/repo/resolve/main/a.pt' in str(caught.value)
    path = cache / 'org--repo--a.pt'
    assert str(path) in str(caught.value)
    assert [local for *_, local in asked] == [True]
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert find_checkpoint('hf-hub:org/repo/a.pt') == path


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Serves what a function saves under an https address."""

    def serve(content: object) -> str:
        buffer = io.BytesIO()
        torch.save(content, buffer)

        class Response(io.BytesIO):
            headers = {'Content-Length': str(len(buffer.getvalue()))}

        monkeypatch.setattr(
            download, 'open_url', lambda url: Response(buffer.getvalue())
        )
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        return f'https://host.example/clip.pt#sha256={digest}'

    return serve


def test_every_consumer_takes_every_name(served, tmp_path, monkeypatch):
    from openvocab.models.backbones import CLIPBackbone
    from openvocab.models.clip_factory import create_clip
    from openvocab.models.teachers import TimmViT
    from openvocab.models.text import TextEncoder

    vision = dict(image_size=32, patch_size=8, width=32, head_width=16, layers=1)
    arch = write_arch(tmp_path / 'tiny.json', vision)
    monkeypatch.setattr(
        TextEncoder, 'encode', lambda self, texts: torch.zeros(len(texts), 16)
    )
    torch.manual_seed(1)
    state = create_clip(arch).state_dict()
    name = served(state)
    assert torch.equal(CLIPBackbone(arch, name).visual.proj, state['visual.proj'])
    by_cfg = CLIPBackbone(arch, init_cfg=dict(type='Pretrained', checkpoint=name))
    by_cfg.init_weights()
    assert torch.equal(by_cfg.visual.proj, state['visual.proj'])
    words = TextEncoder(arch, name).model.token_embedding.weight
    assert torch.equal(words, state['token_embedding.weight'])

    small = dict(depth=1, embed_dim=32, num_heads=2, img_size=16, patch_size=8)
    vit = TimmViT('vit_tiny_patch16_224', **small)
    name = served(vit.trunk.state_dict()).replace('clip', 'vit')
    other = TimmViT('vit_tiny_patch16_224', name, **small)
    assert torch.equal(other.trunk.cls_token, vit.trunk.cls_token)

    monkeypatch.setattr(CheckpointLoader, '_schemes', dict(CheckpointLoader._schemes))
    refuse_code_in_checkpoints()
    head = torch.nn.Linear(2, 2)
    name = served(dict(state_dict=head.state_dict())).replace('clip', 'head')
    fresh = torch.nn.Linear(2, 2)
    load_checkpoint(fresh, name)
    assert torch.equal(fresh.weight, head.weight)


@pytest.mark.parametrize(
    'name, message',
    [
        ('s3://bucket/a.pth', 'fetch the file'),
        ('pavi://a', 'fetch the file'),
        ('mmcls://resnet', 'fetch the file'),
        ('torchvision://no_such_net', 'no such name'),
        ('http://host.example/a.pth', 'not protected'),
    ],
)
def test_mmengines_other_doors_are_closed(name, message, monkeypatch):
    monkeypatch.setattr(CheckpointLoader, '_schemes', dict(CheckpointLoader._schemes))
    refuse_code_in_checkpoints()
    with pytest.raises(CheckpointError, match=message):
        CheckpointLoader.load_checkpoint(name)


def test_torchvisions_names_lead_to_our_reader(served, monkeypatch):
    monkeypatch.setattr(CheckpointLoader, '_schemes', dict(CheckpointLoader._schemes))
    refuse_code_in_checkpoints()
    served(dict(weight=torch.ones(1)))
    loaded = CheckpointLoader.load_checkpoint('torchvision://resnet50')
    assert torch.equal(loaded['weight'], torch.ones(1))
