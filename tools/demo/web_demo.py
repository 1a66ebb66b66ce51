"""Opens a web page: type class names, upload an image, see boxes or masks.

Needs gradio (pip install -r requirements/optional.txt). The page is served from this
machine alone unless --host says otherwise, and fetches nothing from elsewhere.
"""

import argparse
import sys
from typing import TYPE_CHECKING, NamedTuple

from mmengine.logging import MMLogger
from rich.console import Console

import openvocab  # noqa: F401  (before a config is read: enables 'openvocab::' bases)
from openvocab.apis import WebPage, open_inferencer
from openvocab.apis.web_page import COLUMNS
from openvocab.engine.arguments import add_device
from openvocab.engine.user_errors import user_errors

if TYPE_CHECKING:
    import gradio

_EPILOG = """\
examples:
  python tools/demo/web_demo.py F-ViT=work_dirs/NAME/NAME.py:work_dirs/NAME/epoch_3.pth
  python tools/demo/web_demo.py F-ViT=fvit.py:epoch_3.pth \\
      CLIP=training_free_ov-shapes-u_ov-shapes --port 8080

Training writes its config into its work directory, with the --cfg-options it was given:
that is the one to name here.
"""


class ModelSource(NamedTuple):
    """What the command line says of a model."""

    name: str
    config: str
    checkpoint: str | None


def model_source(text: str) -> ModelSource:
    """Reads ``NAME=CONFIG:CHECKPOINT``."""
    name, equals, files = text.partition('=')
    config, _, checkpoint = files.partition(':')
    if not (equals and name.strip() and config):
        raise argparse.ArgumentTypeError(f'{text!r} is not NAME=CONFIG:CHECKPOINT')
    return ModelSource(name.strip(), config, checkpoint or None)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        'models',
        nargs='+',
        type=model_source,
        metavar='NAME=CONFIG:CHECKPOINT',
        help='models to choose from on the page, detectors and segmentors; CONFIG is a '
        'file or the name of one of our models, CHECKPOINT what tools/train.py wrote '
        '(training-free segmentors need none)',
    )
    add('--host', default='127.0.0.1', help='address to serve at (%(default)s)')
    add('--port', type=int, default=7860, help='and port (%(default)s)')
    add_device(parser)
    args = parser.parse_args(argv)
    names = [source.name for source in args.models]
    for name in names:
        if names.count(name) > 1:
            parser.error(f'two models are called {name!r}')
    return args


def main(argv: list[str] | None = None) -> None:
    """Builds the models and serves the page until it is stopped."""
    args = parse_args(argv)
    console = Console()
    try:
        import gradio  # noqa: F401
    except ImportError:
        sys.exit(
            'web_demo: gradio is missing: pip install -r requirements/optional.txt'
        )
    # init_weights would list every parameter on the console.
    MMLogger.get_current_instance().setLevel('WARNING')
    models = {}
    with user_errors('web_demo'):
        for name, config, checkpoint in args.models:
            with console.status(f'building {name}'):
                models[name] = open_inferencer(
                    config, checkpoint, args.device, show_progress=False
                )
        page = WebPage(models)
        blocks = serve(page, args.host, args.port)
    console.print(f'open {blocks.local_url} (stop with Ctrl-C)', highlight=False)
    blocks.block_thread()


def serve(page: WebPage, host: str, port: int) -> 'gradio.Blocks':
    """Begins to serve a page."""
    import gradio as gr

    blocks = build_blocks(page)
    blocks.queue().launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        ssr_mode=False,
        footer_links=[],
        theme=gr.themes.Soft(font=['system-ui', 'sans-serif'], font_mono=['monospace']),
        css='footer {display: none !important}',
    )
    return blocks


def build_blocks(page: WebPage) -> 'gradio.Blocks':
    """Lays out the page."""
    import gradio as gr

    first, *_ = page.models

    def ask(
        model: str, upload: dict | None, names: str, threshold: float
    ) -> tuple[object, ...]:
        # gradio would open the image itself and fail on a broken one
        image = upload['path'] if upload else None
        answer = page.answer(model, image, names, threshold)
        return answer.picture, answer.message, [list(row) for row in answer.rows]

    def choose(model: str) -> tuple[object, object]:
        return gr.update(info=page.hint(model)), page.threshold(model)

    with gr.Blocks(
        title='openvocab', analytics_enabled=False, delete_cache=(600, 600)
    ) as blocks:
        gr.Markdown('# Find anything\nName classes, upload an image, press **Find**.')
        with gr.Row():
            with gr.Column():
                image = gr.Image(
                    label='Image',
                    type='filepath',
                    sources=['upload'],
                    height=320,
                    elem_id='upload',
                )
                names = gr.Textbox(
                    label='Class names',
                    info=page.hint(first),
                    placeholder='cat, park bench, sky',
                    elem_id='names',
                )
                model = gr.Radio(
                    list(page.models), value=first, label='Model', elem_id='model'
                )
                threshold = gr.Slider(
                    0,
                    1,
                    value=page.threshold(first),
                    step=0.01,
                    label='Score threshold',
                    info='boxes, or pixels, that score less are left out',
                    elem_id='threshold',
                )
                button = gr.Button('Find', variant='primary', elem_id='find')
            with gr.Column():
                message = gr.Markdown(elem_id='message')
                picture = gr.Image(
                    label='Found',
                    format='png',
                    interactive=False,
                    buttons=['download', 'fullscreen'],
                    elem_id='picture',
                )
                table = gr.Dataframe(
                    headers=list(COLUMNS),
                    interactive=False,
                    elem_id='table',
                    show_label=False,
                )
        gr.on(
            [button.click, names.submit],
            ask,
            inputs=[model, image, names, threshold],
            outputs=[picture, message, table],
            preprocess=False,
        )
        model.change(choose, inputs=model, outputs=[names, threshold])
    return blocks


if __name__ == '__main__':
    main()
