import threading

import pytest

from labkit.sandbox.kernel.fair_lock import FairLock


def in_thread(action):
    thread = threading.Thread(target=action)
    thread.start()
    return thread


def test_its_owner_may_take_it_again():
    lock = FairLock()
    with lock, lock:
        assert lock.is_mine
    assert not lock.is_mine
    assert lock.acquire()


def test_only_its_owner_may_release_it():
    with pytest.raises(RuntimeError, match="does not hold it"):
        FairLock().release()


def test_it_goes_to_whoever_waits_even_if_its_owner_asks_again_at_once():
    lock, order = FairLock(), []
    lock.acquire()
    waiting = in_thread(lambda: (lock.acquire(), order.append("the one who waited"), lock.release()))
    while not lock._waiting:
        pass
    lock.release()
    with lock:
        order.append("the one who asked again")
    waiting.join()
    assert order == ["the one who waited", "the one who asked again"]


def test_who_gives_up_leaves_the_queue():
    lock, got = FairLock(), []
    with lock:
        in_thread(lambda: got.append(lock.acquire(timeout=0.001))).join()
        assert got == [False]
    assert lock.acquire(timeout=0)


def test_many_threads_never_hold_it_together():
    lock, count = FairLock(), [0]

    def work():
        for _ in range(200):
            with lock:
                seen = count[0]
                count[0] = seen + 1

    threads = [in_thread(work) for _ in range(8)]
    for thread in threads:
        thread.join()
    assert count == [1600]
