import subprocess
import sys

import numpy as np

from openvocab.analysis.memory import peak_resident_set


def test_a_child_does_not_count_its_parent():
    ballast = np.ones(90_000_000)  # 720 MB
    command = (
        'from openvocab.analysis.memory import peak_resident_set;'
        'print(peak_resident_set())'
    )
    done = subprocess.run(
        [sys.executable, '-c', command], capture_output=True, text=True, check=True
    )
    assert 10**7 < int(done.stdout) < ballast.nbytes < peak_resident_set()
