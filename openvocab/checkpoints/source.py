"""Where a checkpoint comes from: one helper that makes a local file of its name.

::

    'checkpoints/EVA02_CLIP_B_psz16_s8B.pt'                     a file
    'openvocab://ov-shapes-u'                                   shipped with the package
    'hf-hub:org/repo/file.safetensors', 'hf-hub:org/repo@revision/file.safetensors'
    'https://host/file.pth'                                     http needs a sha256

Any of them may end with ``#sha256=HEX`` (64 digits, or at least the first 8): the file
is then checked, also when it is already here.

Downloads lie in ``torch.hub.get_dir()/checkpoints`` (set ``TORCH_HOME``, or call
``torch.hub.set_dir``) and those of the hub in its own cache (``HF_HOME``). A file that
was fetched by hand is found in the first folder under the name that the error states.
With ``HF_HUB_OFFLINE=1`` nothing is ever downloaded.
"""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from mmengine.logging import MMLogger

from .download import check_sha256, download, download_dir, fetch
from .reading import SUFFIXES, CheckpointError

WEIGHTS_DIR = Path(__file__).parents[1] / 'weights'
PACKAGED, HUB = 'openvocab://', 'hf-hub:'
REMOTE = (HUB, 'https://', 'http://')
_HUB_FILE = re.compile(r'([\w.-]+/[\w.-]+)(?:@([^/]+))?/(.+)')
_SHA256 = re.compile(r'[0-9a-f]{8,64}')


class Source(NamedTuple):
    """A checkpoint's name, taken apart."""

    location: str
    """All before ``#sha256=``."""
    sha256: str | None
    """Digits that the file's sha256 begins with; None is not checked."""


def parse_source(checkpoint: str | Path) -> Source:
    """Takes a name apart.

    Args:
        checkpoint: See the module's docstring.

    Raises:
        CheckpointError: What follows ``#`` is no sha256.
    """
    location, mark, digits = str(checkpoint).partition('#sha256=')
    if not mark:
        return Source(location, None)
    if not _SHA256.fullmatch(digits.lower()):
        raise CheckpointError(
            f'checkpoint {checkpoint}: sha256 must be 8 to 64 hexadecimal digits'
        )
    return Source(location, digits.lower())


def is_location(checkpoint: str | Path) -> bool:
    """Whether a name says where a file is, rather than being a tag of open_clip."""
    location = parse_source(checkpoint).location
    path = Path(location).expanduser()
    return (
        location.startswith((PACKAGED, *REMOTE))
        or path.is_file()
        or path.suffix in SUFFIXES
        or len(path.parts) > 1
    )


def find_checkpoint(checkpoint: str | Path) -> Path:
    """Finds the file of a checkpoint, downloading it where it is not here yet.

    Args:
        checkpoint: See the module's docstring.

    Returns:
        A local file.

    Raises:
        FileNotFoundError: No such file; for what had to be downloaded the message says
            what to fetch and where to put it.
        CheckpointError: The sha256 is another one, or the name is none.
    """
    source = parse_source(checkpoint)
    location = source.location
    if location.startswith(PACKAGED):
        path = _packaged(location)
    elif location.startswith(HUB):
        path = _from_hub(source)
    elif location.startswith(REMOTE):
        path = _from_url(source)
    else:
        path = Path(location).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f'checkpoint {location} does not exist')
    if source.sha256:
        check_sha256(path, source.sha256, location)
    return path


def _packaged(location: str) -> Path:
    path = WEIGHTS_DIR / f'{location.removeprefix(PACKAGED)}.safetensors'
    if not path.is_file():
        there = ', '.join(sorted(p.stem for p in WEIGHTS_DIR.glob('*.safetensors')))
        raise FileNotFoundError(
            f'{location}: no such packaged weights (there are: {there or "none"})'
        )
    return path


def _from_hub(source: Source) -> Path:
    from huggingface_hub import hf_hub_download, hf_hub_url

    found = _HUB_FILE.fullmatch(source.location.removeprefix(HUB))
    if found is None:
        raise CheckpointError(
            f'checkpoint {source.location}: expected hf-hub:ORG/REPO/FILE or '
            'hf-hub:ORG/REPO@REVISION/FILE'
        )
    repo, revision, name = found.groups()
    path = download_dir() / '--'.join((*repo.split('/'), *name.split('/')))
    if revision:
        path = path.with_name(f'{path.stem}@{revision}{path.suffix}')

    def cached(local: bool) -> Path:
        return Path(
            hf_hub_download(repo, name, revision=revision, local_files_only=local)
        )

    if not path.is_file():
        try:
            return cached(local=True)
        except Exception as error:  # not in the cache: its class depends on the version
            _debug(f'{source.location} is not cached ({type(error).__name__})')
    url = hf_hub_url(repo, name, revision=revision)
    return fetch(source.location, url, path, lambda: cached(local=False))


def _from_url(source: Source) -> Path:
    url = source.location
    if url.startswith('http://') and source.sha256 is None:
        raise CheckpointError(
            f'checkpoint {url}: http is not protected; append #sha256=HEX or use https'
        )
    name = Path(unquote(urlsplit(url).path)).name or 'checkpoint'
    digest = hashlib.sha256(url.encode()).hexdigest()[:8]
    # Many files are called epoch_6.pt; the address keeps them apart.
    path = download_dir() / f'{Path(name).stem}-{digest}{Path(name).suffix}'
    return fetch(url, url, path, lambda: download(url, path, source.sha256))


def _debug(message: str) -> None:
    MMLogger.get_current_instance().debug(message)
