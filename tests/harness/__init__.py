"""Tools that make AWS behave, in a test, as AWS documents it: also where it fails.

| module | what it does |
| --- | --- |
| `streams` | drives the real stream handlers from a table's real stream, as an event source mapping does |
| `event_filters` | the filter patterns of event source mappings |
| `calls` | sees every AWS call of the process: recorder, consumed capacity |
| `faults` | throttles, conflicts, lost requests, lost answers, killed processes |
| `interleave` | runs two operations call by call in every order |
| `template` | reads `template.yaml`: mapping settings, tables, handlers |
| `tables` | makes, empties and reads the tables of the template |

Nothing here knows the domain.
"""
