"""The real parts that tests run against: Asterisk, Apache Kafka, a schema registry.

    cache.py      where parts are kept; whole or not at all
    processes.py  children that die with their parent, free ports, waiting for conditions
    debian.py     Asterisk out of Debian's packages   ->  asterisk.py  one private PBX
    java.py       jars out of Maven, a JVM to run them  ->  broker.py, kafka.py; registry.py
    ami.py        a bare AMI client, owing nothing to the connector it helps to judge
    asyncapi.py   AsyncAPI's own schema, and a validator
    sip.py        a bare SIP phone;  sipp.py  sipp's scripts, step by step
    scenarios/    calls, queues, conferences, transfers ... made to happen
    capture.py    the bytes an events session reads while scenarios run
    running.py    what `up` left running, so that tests can share it

`python -m tests.parts` is the command.
"""


class Unavailable(Exception):
    """A part cannot be had on this machine; the text says why and what would help."""
