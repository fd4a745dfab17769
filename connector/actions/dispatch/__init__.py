"""The road back as one machine: notices, answers and time go in; transactions and actions come out."""
