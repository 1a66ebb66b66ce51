"""Intervals of a step on a clock that is set by hand."""

import pytest
import torch

from openvocab.analysis.timing import CudaClock, HostClock, StepTimer, clock_for


class HandClock:
    """Moves only when told to; remembers that it was waited for."""

    def __init__(self):
        self.now = 0.0
        self.waits = 0

    def stamp(self):
        return self.now

    def wait(self):
        self.waits += 1

    def seconds(self, start, end):
        assert self.waits, 'read before waiting'
        return end - start


@pytest.fixture
def clock():
    return HandClock()


def test_inner_parts_are_not_counted_in_outer_ones(clock):
    timer = StepTimer(clock)
    with timer.step():
        clock.now += 1
        with timer.part('pooling'):
            clock.now += 2
            with timer.part('text'):
                clock.now += 4
            clock.now += 8
        with timer.part('pooling'):
            clock.now += 16
        clock.now += 32
    assert timer.seconds == {'other': 33, 'pooling': 26, 'text': 4}
    assert sum(timer.seconds.values()) == clock.now
    assert clock.waits == 1


def test_steps_are_independent_and_parts_outside_are_free(clock):
    timer = StepTimer(clock)
    with timer.part('student'):
        clock.now += 5
    assert timer.seconds == {}
    for seconds in (1, 2):
        with timer.step(), timer.part('student'):
            clock.now += seconds
    assert timer.seconds == {'other': 0, 'student': 2}


def test_backward_is_split_at_the_last_gradient_of_the_student(clock):
    timer = StepTimer(clock)
    with timer.step():
        timer.mark_student_gradient()  # not in the backward pass: ignored
        with timer.part('backward'):
            clock.now += 1
            timer.mark_student_gradient()
            clock.now += 2
            with timer.part('neck'):
                clock.now += 4
            timer.mark_student_gradient()
            clock.now += 8
        with timer.part('optimizer'):
            clock.now += 16
    assert timer.seconds == {
        'other': 0,
        'backward (rest)': 3,
        'neck': 4,
        'backward (student)': 8,
        'optimizer': 16,
    }


def test_backward_without_a_student_stays_whole(clock):
    timer = StepTimer(clock)
    with timer.step(), timer.part('backward'):
        clock.now += 3
    assert timer.seconds == {'other': 0, 'backward': 3}


def test_an_error_leaves_a_usable_timer(clock):
    timer = StepTimer(clock)
    with pytest.raises(KeyError), timer.step(), timer.part('student'):
        raise KeyError
    with timer.step(), timer.part('student'):
        clock.now += 1
    assert timer.seconds == {'other': 0, 'student': 1}


def test_clock_of_a_device():
    assert isinstance(clock_for(torch.device('cpu')), HostClock)
    assert isinstance(clock_for(torch.device('cuda')), CudaClock)


@pytest.mark.gpu
def test_cuda_clock_sees_device_time():
    timer = StepTimer(clock_for(torch.device('cuda')))
    matrix = torch.rand(2048, 2048, device='cuda')
    matrix @ matrix
    with timer.step():
        with timer.part('work'):
            for _ in range(20):
                matrix @ matrix
        with timer.part('nothing'):
            pass
    assert timer.seconds['work'] > 10 * timer.seconds['nothing']
