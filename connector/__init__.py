"""The bridge between Asterisk's Manager Interface and Apache Kafka.

The house, from the ground up; a room may look only at rooms named before it:

    errors, facts   what can go wrong, and everything worth a log line or a counter, as values
    ami             AMI as a language, pure: frames, messages, actions, the login
    avro            Avro as a language, pure: schemas, wire text to typed values, encoding
    privacy         what may be told, pure: rules, and frames to which they are applied
    events          the road from AMI to Kafka as functions from values to values
    actions         the road back, beside it: requests, policy, claims, turns, responses
    settings        what the operator says and what follows from it
    status          beside both: what is known of the connector now, from facts and samples, and judged
    roads           coroutines that carry values between the ports; they decide nothing
    edges           every socket, file and thread; the only users of panoramisk and confluent_kafka
    demo            the simulated PBX, the embedded broker and the live picture
    preflight, app  every check before running; opening and closing the parts
    cli             the command line

`docs/design.md` draws it and says why.
"""

__version__ = "0.1.0"
