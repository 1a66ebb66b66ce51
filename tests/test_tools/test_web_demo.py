"""tools/demo/web_demo.py: its command line, and the page in a headless browser."""

import os
import runpy
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from helpers.processes import free_port
from helpers.tiny_configs import write_detector, write_segmentor

SCRIPT = Path(__file__).parents[2] / 'tools/demo/web_demo.py'
NAMES = 'red circle, sofa, sky'
FLAGS = (
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--window-size=1280,1000',
)  # fmt: skip


def test_models_on_the_command_line():
    parse = runpy.run_path(str(SCRIPT))['parse_args']
    args = parse(['A=a.py:a=1.pth', 'free=name_of_ours', '--port', '80'])
    assert args.models == [
        ('A', 'a.py', 'a=1.pth'),
        ('free', 'name_of_ours', None),
    ]
    assert (args.host, args.port) == ('127.0.0.1', 80)


@pytest.mark.parametrize(
    ('models', 'message'),
    [
        (['a.py'], 'is not NAME=CONFIG:CHECKPOINT'),
        (['=a.py'], 'is not NAME=CONFIG:CHECKPOINT'),
        (['A=:a.pth'], 'is not NAME=CONFIG:CHECKPOINT'),
        (['A=a.py', 'A=b.py'], "two models are called 'A'"),
        ([], 'required'),
    ],
)
def test_wrong_models(capsys, models, message):
    parse = runpy.run_path(str(SCRIPT))['parse_args']
    with pytest.raises(SystemExit):
        parse(models)
    assert message in capsys.readouterr().err


def test_a_missing_library_is_one_line(monkeypatch):
    main = runpy.run_path(str(SCRIPT))['main']
    monkeypatch.setitem(sys.modules, 'gradio', None)
    with pytest.raises(SystemExit, match=r'gradio is missing: pip install'):
        main(['A=a.py'])


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    """A drawn scene, a broken image, two models after no step of training."""
    from openvocab.apis import build_model
    from openvocab.datasets.ov_shapes.writer import write_ov_shapes

    folder = tmp_path_factory.mktemp('web')
    write_ov_shapes(folder, {'train': 1, 'val': 1})
    (folder / 'scene.jpg').write_bytes((folder / 'val/000000.jpg').read_bytes())
    (folder / 'broken.jpg').write_bytes(b'\xff\xd8\xff\xe0 no more of it')
    torch.manual_seed(0)
    for name, write in (('boxes', write_detector), ('masks', write_segmentor)):
        model = build_model(write(folder / f'{name}.py'))
        state = dict(state_dict=model.state_dict(), meta={})
        torch.save(state, folder / f'{name}.pth')
    return folder


@pytest.fixture(scope='module')
def address(world, repo_root):
    """The page, served on loopback."""
    pytest.importorskip('gradio', reason='gradio is not installed (optional.txt)')
    port = free_port()
    models = [f'{name}={world}/{name}.py:{world}/{name}.pth' for name in MODELS]
    command = [sys.executable, str(SCRIPT), *models, '--port', port]
    log = world / 'server.log'
    paths = [str(repo_root), os.environ.get('PYTHONPATH', '')]
    with open(log, 'wb') as output:
        server = subprocess.Popen(
            [*command, '--device', 'cpu'],
            cwd=world,
            env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f'http://127.0.0.1:{port}/'
    try:
        for _ in range(240):
            assert server.poll() is None, log.read_text()[-3000:]
            try:
                urllib.request.urlopen(url, timeout=5).read()
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.5)
        else:
            pytest.fail(f'no page after two minutes: {log.read_text()[-3000:]}')
        yield url
        assert 'Traceback' not in log.read_text()
    finally:
        server.terminate()
        server.wait(30)


MODELS = ('boxes', 'masks')


class Browser:
    """A visitor of the page."""

    def __init__(self, driver, url: str) -> None:
        from selenium.webdriver.common.keys import Keys
        from selenium.webdriver.support.ui import WebDriverWait

        self.driver, self.keys = driver, Keys
        self.wait = WebDriverWait(driver, 60)
        driver.get(url)
        self.wait.until(lambda _: self.all('#names textarea, #names input'))

    def all(self, selector: str):
        return self.driver.find_elements('css selector', selector)

    def fill(self, selector: str, text: str) -> None:
        box = self.all(selector)[0]
        box.send_keys(self.keys.CONTROL, 'a')
        box.send_keys(self.keys.DELETE)
        box.send_keys(text, self.keys.TAB)

    def upload(self, path: Path) -> None:
        for button in self.all('#upload button[aria-label="Remove Image"]'):
            button.click()
        self.wait.until(lambda _: self.all('#upload input[type=file]'))
        self.all('#upload input[type=file]')[0].send_keys(str(path))
        self.wait.until(lambda _: self.all('#upload img'))

    def choose(self, model: str) -> None:
        for label in self.all('#model label'):
            if label.text.strip() == model:
                label.click()

    def message(self) -> str:
        return ' '.join(part.text for part in self.all('#message'))

    def find(self, expected: str) -> None:
        """Presses the button and waits for a message."""
        self.all('#find')[0].click()
        try:
            self.wait.until(lambda _: expected in self.message())
        except Exception:
            pytest.fail(f'expected {expected!r}, the page says {self.message()!r}')

    def picture(self) -> np.ndarray:
        self.wait.until(lambda _: self.all('#picture img'))
        source = self.all('#picture img')[0].get_attribute('src')
        content = urllib.request.urlopen(source, timeout=30).read()
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


@pytest.fixture
def visitor(address, tmp_path):
    """A visitor with the page open."""
    webdriver = pytest.importorskip(
        'selenium.webdriver', reason='selenium is not installed'
    )
    programs = {
        name: next(filter(None, map(shutil.which, names)), None)
        for name, names in dict(
            browser=('chromium', 'chromium-browser', 'google-chrome'),
            driver=('chromedriver',),
        ).items()
    }
    if None in programs.values():
        pytest.skip('no Chromium with its chromedriver in PATH')
    options = webdriver.ChromeOptions()
    options.binary_location = programs['browser']
    for flag in (*FLAGS, f'--user-data-dir={tmp_path / "profile"}'):
        options.add_argument(flag)
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(programs['driver'])
    )
    try:
        yield Browser(driver, address)
    finally:
        driver.quit()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize('model', MODELS)
def test_a_picture_with_boxes_and_one_with_masks(visitor, world, model):
    from openvocab.apis import open_inferencer

    visitor.upload(world / 'scene.jpg')
    visitor.choose(model)
    visitor.fill('#names textarea, #names input', NAMES)
    visitor.fill('#threshold input[type=number]', '0')
    visitor.find(f'{model}, ')
    expected = open_inferencer(
        world / f'{model}.py', world / f'{model}.pth', 'cpu', show_progress=False
    )(world / 'scene.jpg', texts=NAMES, pred_score_thr=0, return_vis=True)
    picture = visitor.picture()
    assert np.array_equal(picture[..., ::-1], expected['visualization'][0])
    image = cv2.imread(str(world / 'scene.jpg'))
    plain = cv2.resize(image, (640, 640), interpolation=cv2.INTER_NEAREST)
    assert (picture != plain).any(axis=-1).mean() > 0.01
    (record,) = expected['predictions']
    table = visitor.all('#table')[0].text
    for name, score in zip(record['label_names'], record['scores'], strict=True):
        assert name in table and f'{score:.2f}' in table


@pytest.mark.slow
@pytest.mark.browser
def test_mistakes_are_answered_with_a_message(visitor, world):
    visitor.fill('#names textarea, #names input', NAMES)
    visitor.find('Upload an image first.')
    visitor.upload(world / 'broken.jpg')
    visitor.find('This file is not an image')
    visitor.upload(world / 'scene.jpg')
    visitor.fill('#names textarea, #names input', '')
    visitor.find('Type at least one class name')
    visitor.fill('#names textarea, #names input', 'dog, cat, Dog')
    visitor.find("'Dog' (position 2) repeats 'dog'")
    assert not visitor.all('#picture img')
    visitor.fill('#threshold input[type=number]', '0')
    visitor.fill('#names textarea, #names input', NAMES)
    visitor.find('boxes, ')
    assert visitor.picture().shape == (640, 640, 3)
