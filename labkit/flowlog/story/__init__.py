"""Four weeks in the life of a web server, told as flow log records: the sample data of the lab.

Office-hours traffic, evening customers, internet noise, a patient port scanner, password guessers who work at night
and at weekends, a botnet's forty minutes, a Sunday of maintenance, and one hour in which SSH was open to the world.
"""

from labkit.flowlog.story.cast import Actor, cast, who
from labkit.flowlog.story.files import objects, write
from labkit.flowlog.story.story import DAYS, FIRST_DAY, SEED, Story

__all__ = ["DAYS", "FIRST_DAY", "SEED", "Actor", "Story", "cast", "objects", "who", "write"]
