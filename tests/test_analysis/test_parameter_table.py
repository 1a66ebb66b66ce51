from rich.console import Console
from torch import nn

from openvocab.analysis.parameter_table import (
    PartParameters,
    count_parameters,
    parameter_table,
)


def test_counts_by_part():
    model = nn.Module()
    model.head = nn.Linear(3, 2)
    model.encoder = nn.Linear(4, 4, bias=False).requires_grad_(False)
    model.encoder.num_unread = 5
    model.again = model.encoder
    model.nothing = nn.ReLU()
    shared = nn.Module()
    shared.weight, shared.own = model.head.weight, nn.Parameter(model.head.bias + 0)
    model.shared = shared
    parts = count_parameters(model)
    assert parts == [
        PartParameters('head', 8, 0),
        PartParameters('encoder', 0, 16, 5),
        PartParameters('shared', 2, 0),
        PartParameters('total', 10, 16, 5),
    ]
    console = Console(record=True, width=100, file=open('/dev/null', 'w'))
    console.print(parameter_table([PartParameters('total', 24_530_000, 1)], 'a config'))
    text = console.export_text()
    assert '24.53 M' in text and 'a config' in text and 'never read' in text
