import threading

from labkit.sandbox.kernel.news import News


def test_what_was_told_since_is_not_waited_for():
    news = News()
    number = news.number
    news.tell()
    news.wait(number, 60)  # returns at once
    assert news.number == number + 1


def test_somebody_who_waits_is_told():
    news = News()
    number = news.number
    waiter = threading.Thread(target=news.wait, args=(number, 60))
    waiter.start()
    news.tell()
    waiter.join(60)
    assert not waiter.is_alive()


def test_nobody_waits_after_the_last_news():
    news = News()
    news.tell(last=True)
    news.wait(news.number, 60)
    assert news.closed
