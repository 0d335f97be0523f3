"""Every mistake in a scenario is reported with its line, key, value and remedy."""

from __future__ import annotations

import re

import pytest

from cluster_sim.errors import ScenarioError
from cluster_sim.scenario import InvalidScenarioError, parse_scenario
from cluster_sim.scenario.tablewise import TABLES
from tests.scenario.samples import BASE, TRAFFIC, accept_any, change, problems_of

HOT = 'kind = "hotspot"\nload = 0.9\nhot_servers = 6\nhot_probability = 0.8'
ZIPF = 'kind = "zipf"\nload = 0.9\nchunks = 50\nexponent = 1.1'
TYPES = 'kind = "types"\nload = 0.9\n[[traffic.types]]\nreplicas_on = [0, 1]\nweight = 0.6'
TRACE = 'kind = "trace"\nload = 0.9'

KNOWN = ", ".join(sorted(["title", "sweep", *TABLES]))


def in_traffic(old: str, new: str, traffic: str) -> str:
    """Return the base scenario with other traffic, one piece of it replaced."""
    return change(TRAFFIC, change(old, new, traffic))


# name: (text, the whole of the one line that is reported)
ONE_MISTAKE = {
    "servers-zero": (
        change("servers = 12", "servers = 0"),
        "case.toml:3: [cluster] servers = 0: must be an integer from 1 to 10000000",
    ),
    "servers-text": (
        change("servers = 12", 'servers = "12"'),
        (
            'case.toml:3: [cluster] servers = "12": must be an integer from 1 to 10000000 '
            "(this is text: remove the quotes)"
        ),
    ),
    "servers-boolean": (
        change("servers = 12", "servers = true"),
        (
            "case.toml:3: [cluster] servers = true: must be an integer from 1 to 10000000 "
            "(true and false are neither numbers nor text)"
        ),
    ),
    "servers-fraction": (
        change("servers = 12", "servers = 12.0"),
        (
            "case.toml:3: [cluster] servers = 12.0: must be an integer from 1 to 10000000 "
            "(write 12, without a fraction)"
        ),
    ),
    "servers-array": (
        change("servers = 12", "servers = [12]"),
        (
            "case.toml:3: [cluster] servers = [12]: must be an integer from 1 to 10000000 "
            "(this is an array: give one value)"
        ),
    ),
    "servers-date": (
        change("servers = 12", "servers = 2020-01-01"),
        (
            "case.toml:3: [cluster] servers = 2020-01-01: must be an integer from 1 to "
            "10000000 (this is a date)"
        ),
    ),
    "racks-above-servers": (
        change("racks = 4", "racks = 13"),
        "case.toml:4: [cluster] racks = 13: must be at most cluster.servers (12)",
    ),
    "racks-huge": (
        change("racks = 4", f"racks = {10**20}"),
        f"case.toml:4: [cluster] racks = {10**20}: must be an integer of at least 1 (too large)",
    ),
    "racks-and-levels": (
        change("racks = 4", "racks = 4\nlevels = { rack = 4 }"),
        (
            "case.toml:4: [cluster] racks = 4: racks is short for levels = { rack = ... }, "
            "and levels is given as well; keep one of them"
        ),
    ),
    "levels-grow-outward": (
        change("racks = 4", "levels = { rack = 4, pod = 6 }"),
        (
            "case.toml:4: [cluster] levels.pod = 6: must be at most cluster.levels.rack "
            "(4): levels go from inner to outer, and each groups the one before it"
        ),
    ),
    "level-zero": (
        change("racks = 4", "levels = { rack = 4, pod = 0 }"),
        "case.toml:4: [cluster] levels.pod = 0: must be an integer of at least 1",
    ),
    "level-name-reserved": (
        change("racks = 4", "levels = { rack = 4, core = 2 }"),
        (
            "case.toml:4: [cluster] levels.core = 2: the name of a level is lower-case "
            "letters, digits and _, starting with a letter, and none of server, core, "
            "local, remote; rename it, e.g. rack"
        ),
    ),
    "levels-not-a-table": (
        change("racks = 4", "levels = 4"),
        "case.toml:4: [cluster] levels = 4: must be a table, for example { rack = 20, pod = 4 }",
    ),
    "unknown-key": (
        change("servers = 12", "servers = 12\nserver = 3"),
        (
            "case.toml:4: [cluster] server = 3: unknown key. Did you mean 'servers'? Known:"
            " levels, racks, servers, speeds."
        ),
    ),
    "key-of-another-table": (
        change("racks = 4", "racks = 4\nwarmup = 5"),
        "case.toml:5: [cluster] warmup = 5: belongs in [run]; move it there",
    ),
    "key-without-table": (
        "slots = 5\n" + BASE,
        "case.toml:1: slots = 5: belongs in [run]; move it below that header",
    ),
    "unknown-top-key": (
        "titel = 5\n" + BASE,
        (f"case.toml:1: titel = 5: unknown key. Did you mean 'title'? Known: {KNOWN}."),
    ),
    "unknown-table": (
        BASE + "[readings]\nqueue_length = 3\n",
        (f"case.toml:17: [readings]: unknown table. Did you mean 'reading'? Known: {KNOWN}."),
    ),
    "misspelt-table-once": (
        change("[cluster]", "[clutser]", change("rack_local = 0.8\n", "")),
        (f"case.toml:2: [clutser]: unknown table. Did you mean 'cluster'? Known: {KNOWN}."),
    ),
    "title-number": (
        change('"A cluster"', "7"),
        "case.toml:1: title = 7: must be text in quotes, and not empty",
    ),
    "table-is-value": (
        "run = 3\n" + change("[run]\nslots = 100\nwarmup = 10\n", ""),
        "case.toml:1: run = 3: must be a table: write [run]",
    ),
    "table-is-array": (
        change("[run]", "[[run]]"),
        (
            "case.toml:14: run = [{ slots = 100, warmup = 10 }]: must be a table: write "
            "[run], with single brackets"
        ),
    ),
    "missing-table": (
        change("[scheduler]\npolicy = ", "# "),
        'case.toml: [scheduler]: missing; add [scheduler] with policy = "priority"',
    ),
    "missing-key": (
        change("slots = 100\nwarmup = 10\n", ""),
        "case.toml:14: [run] slots: missing; add for example slots = 20000",
    ),
    "misspelt-key-once": (
        change("slots = 100", "slot = 100"),
        (
            "case.toml:15: [run] slot = 100: unknown key. Did you mean 'slots'? Known: "
            "engine, max_replications, precision, replications, seed, series_points, slots, "
            "warmup."
        ),
    ),
    "local-above-one": (
        change("local = 1.0\nrack", "local = 1.5\nrack"),
        (
            "case.toml:6: [service] local = 1.5: must be a number above 0 and at most 1 (a "
            "probability per slot)"
        ),
    ),
    "remote-zero": (
        change("remote = 0.5", "remote = 0"),
        (
            "case.toml:8: [service] remote = 0: must be a number above 0 and at most 1 (a "
            "probability per slot)"
        ),
    ),
    "remote-nan": (
        change("remote = 0.5", "remote = nan"),
        (
            "case.toml:8: [service] remote = nan: must be a number above 0 and at most 1 (a"
            " probability per slot) (it must be finite)"
        ),
    ),
    "rates-out-of-order": (
        change("rack_local = 0.8", "rack_local = 0.4"),
        (
            "case.toml:8: [service] remote = 0.5: must be at most service.rack_local (0.4):"
            " farther data is never faster; lower remote or raise rack_local"
        ),
    ),
    "rate-of-no-level": (
        change("racks = 4\n", ""),
        (
            'case.toml:6: [service] rack_local = 0.8: needs the level "rack" declared; add '
            "racks = 20 to [cluster], or remove this rate"
        ),
    ),
    "rate-of-unknown-level": (
        change("rack_local = 0.8", "rakc_local = 0.8"),
        (
            'case.toml:7: [service] rakc_local = 0.8: needs the level "rakc" declared; Did '
            "you mean 'rack'? Known: rack. Add rakc to cluster.levels, or remove this rate"
        ),
    ),
    "kind-unknown": (
        change('"even"', '"evne"'),
        (
            "case.toml:10: [traffic] kind = \"evne\": is not known. Did you mean 'even'? "
            "Known: even, hotspot, trace, types, zipf."
        ),
    ),
    "kind-array": (
        change('"even"', '["even"]'),
        (
            'case.toml:10: [traffic] kind = ["even"]: must be one of "even", "hotspot", '
            '"zipf", "types", "trace"'
        ),
    ),
    "kind-missing-is-guessed": (
        in_traffic('kind = "hotspot"\n', "", HOT),
        (
            'case.toml:9: [traffic] kind: missing; add for example kind = "hotspot". Known:'
            " even, hotspot, zipf, types, trace."
        ),
    ),
    "key-of-another-kind": (
        change("load = 0.9", "load = 0.9\nhot_servers = 3"),
        (
            'case.toml:12: [traffic] hot_servers = 3: belongs to kind = "hotspot", and kind'
            ' is "even"; remove hot_servers or change the kind'
        ),
    ),
    "replicas-of-types": (
        in_traffic("load = 0.9", "load = 0.9\nreplicas = 2", TYPES),
        (
            'case.toml:12: [traffic] replicas = 2: belongs to kind = "even" or "hotspot" or'
            ' "zipf" or "trace", and kind is "types"; remove replicas or change the kind'
        ),
    ),
    "rate-of-trace": (
        in_traffic("load = 0.9", "load = 0.9\nrate = 2", TRACE),
        (
            'case.toml:12: [traffic] rate = 2: belongs to kind = "even" or "hotspot" or '
            '"zipf" or "types", and kind is "trace"; remove rate or change the kind'
        ),
    ),
    "load-missing": (
        change("load = 0.9\n", ""),
        (
            "case.toml:9: [traffic] load: missing; add load = 0.9 (fraction of capacity) or"
            " rate = 1.0 (tasks per slot)"
        ),
    ),
    "load-and-rate": (
        change("load = 0.9", "load = 0.9\nrate = 5"),
        "case.toml:12: [traffic] rate = 5: load (0.9) is given as well; keep one of them",
    ),
    "load-and-slot-seconds": (
        in_traffic("load = 0.9", "load = 0.9\nslot_seconds = 5", TRACE),
        "case.toml:12: [traffic] slot_seconds = 5: load (0.9) is given as well; keep one of them",
    ),
    "load-in-percent": (
        change("load = 0.9", "load = 90"),
        (
            "case.toml:11: [traffic] load = 90: must be a number above 0 and at most 10 (a "
            "fraction of capacity: 0.9 for 90 %)"
        ),
    ),
    "load-infinite": (
        change("load = 0.9", "load = inf"),
        (
            "case.toml:11: [traffic] load = inf: must be a number above 0 and at most 10 (a"
            " fraction of capacity: 0.9 for 90 %) (it must be finite)"
        ),
    ),
    "replicas-default-too-many": (
        change("servers = 12\nracks = 4", "servers = 2\nracks = 2"),
        (
            "case.toml:9: [traffic] replicas = 3: the default; must be at most "
            "cluster.servers (2): replicas are on distinct servers"
        ),
    ),
    "hot-servers-above-servers": (
        in_traffic("hot_servers = 6", "hot_servers = 1200", HOT),
        "case.toml:12: [traffic] hot_servers = 1200: must be at most cluster.servers (12)",
    ),
    "hot-servers-too-few": (
        in_traffic("hot_servers = 6", "hot_servers = 2\nreplicas = 3", HOT),
        (
            "case.toml:13: [traffic] replicas = 3: must be at most traffic.hot_servers (2):"
            " the replicas of a hot chunk are all on hot servers; lower replicas or raise "
            "hot_servers"
        ),
    ),
    "hot-servers-leave-too-few": (
        in_traffic("hot_servers = 6", "hot_servers = 11", HOT),
        (
            "case.toml:12: [traffic] hot_servers = 11: leaves 1 other servers of "
            "cluster.servers (12), fewer than traffic.replicas (3); set it to at most 9, or"
            " hot_probability = 1"
        ),
    ),
    "hot-probability-above-one": (
        in_traffic("0.8", "1.1", HOT),
        "case.toml:13: [traffic] hot_probability = 1.1: must be a number from 0 to 1",
    ),
    "zipf-chunks-zero": (
        in_traffic("50", "0", ZIPF),
        "case.toml:12: [traffic] chunks = 0: must be an integer from 1 to 100000000",
    ),
    "zipf-exponent-negative": (
        in_traffic("1.1", "-1.1", ZIPF),
        "case.toml:13: [traffic] exponent = -1.1: must be a number of at least 0",
    ),
    "types-missing": (
        change('"even"', '"types"'),
        (
            "case.toml:9: [traffic] types: missing; add for example types = [{ replicas_on "
            "= [0, 1], weight = 0.6 }]"
        ),
    ),
    "types-empty": (
        change(TRAFFIC, 'kind = "types"\nload = 0.9\ntypes = []'),
        (
            "case.toml:12: [traffic] types = []: must not be empty, for example [{ "
            "replicas_on = [0, 1], weight = 0.6 }]"
        ),
    ),
    "types-of-numbers": (
        change(TRAFFIC, 'kind = "types"\nload = 0.9\ntypes = [\n3]'),
        (
            "case.toml:13: [traffic] types[0] = 3: must be a table, for example { "
            "replicas_on = [0, 1], weight = 0.6 }"
        ),
    ),
    "type-weight-zero": (
        in_traffic("0.6", "0", TYPES),
        "case.toml:14: [traffic] types[0].weight = 0: must be a number above 0 and at most 1e15",
    ),
    "type-unknown-key": (
        in_traffic("weight = 0.6", "weight = 0.6\nreplica_on = [1]", TYPES),
        (
            "case.toml:15: [traffic] types[0].replica_on = [1]: unknown key. Did you mean "
            "'replicas_on'? Known: replicas_on, weight."
        ),
    ),
    "type-replica-out-of-range": (
        in_traffic("[0, 1]", "[\n 0,\n 12]", TYPES),
        (
            "case.toml:15: [traffic] types[0].replicas_on[1] = 12: must be at most 11: "
            "servers count from 0, and cluster.servers is 12"
        ),
    ),
    "type-replica-negative": (
        in_traffic("[0, 1]", "[0, -1]", TYPES),
        (
            "case.toml:13: [traffic] types[0].replicas_on[1] = -1: must be the index of a "
            "server: an integer of at least 0"
        ),
    ),
    "type-replica-twice": (
        in_traffic("[0, 1]", "[1, 1]", TYPES),
        (
            "case.toml:13: [traffic] types[0].replicas_on[1] = 1: is listed twice; each "
            "replica needs a server of its own: remove one"
        ),
    ),
    "type-replicas-empty": (
        in_traffic("[0, 1]", "[]", TYPES),
        "case.toml:13: [traffic] types[0].replicas_on = []: must not be empty, for example [0, 1]",
    ),
    "type-replicas-no-array": (
        in_traffic("[0, 1]", "0", TYPES),
        "case.toml:13: [traffic] types[0].replicas_on = 0: must be an array, for example [0, 1]",
    ),
    "trace-format": (
        in_traffic("load = 0.9", 'load = 0.9\nformat = "swin"', TRACE),
        (
            "case.toml:12: [traffic] format = \"swin\": is not known. Did you mean 'swim'? "
            "Known: swim."
        ),
    ),
    "trace-path-empty": (
        in_traffic("load = 0.9", 'load = 0.9\npath = ""', TRACE),
        'case.toml:12: [traffic] path = "": must be text in quotes, and not empty',
    ),
    "trace-chunk-zero": (
        in_traffic("load = 0.9", "load = 0.9\nchunk_mib = 0", TRACE),
        "case.toml:12: [traffic] chunk_mib = 0: must be a number above 0",
    ),
    "arrivals-unknown": (
        change("load = 0.9", 'load = 0.9\narrivals = "poison"'),
        (
            'case.toml:12: [traffic] arrivals = "poison": is not known. Did you mean '
            "'poisson'? Known: batch, bernoulli, binomial, poisson."
        ),
    ),
    "arrivals-other-parameter": (
        change("load = 0.9", "load = 0.9\ntrials = 5"),
        (
            'case.toml:12: [traffic] trials = 5: belongs to arrivals = "binomial", and '
            'arrivals is "poisson"; remove trials or set arrivals = "binomial"'
        ),
    ),
    "bernoulli-rate": (
        change("load = 0.9", 'rate = 1.5\narrivals = "bernoulli"'),
        (
            "case.toml:11: [traffic] rate = 1.5: must be at most 1 with arrivals = "
            '"bernoulli" (at most one task per slot); lower it or set arrivals = "poisson"'
        ),
    ),
    "binomial-trials-below-rate": (
        change("load = 0.9", 'rate = 7.5\narrivals = "binomial"\ntrials = 7'),
        (
            "case.toml:13: [traffic] trials = 7: must be at least traffic.rate (7.5), or "
            "the rate cannot be reached; raise trials or lower rate"
        ),
    ),
    "binomial-trials-missing": (
        change("load = 0.9", 'rate = 7.5\narrivals = "binomial"'),
        (
            'case.toml:9: [traffic] trials: missing; arrivals = "binomial" needs it: add '
            "for example trials = 1000"
        ),
    ),
    "poisson-bound-below-rate": (
        change("load = 0.9", "rate = 7.5\nmax_arrivals = 7"),
        (
            "case.toml:12: [traffic] max_arrivals = 7: must be at least traffic.rate (7.5),"
            " or the rate cannot be reached; raise max_arrivals or lower rate"
        ),
    ),
    "batch-size-zero": (
        change("load = 0.9", 'load = 0.9\narrivals = "batch"\nbatch_size = 0'),
        "case.toml:13: [traffic] batch_size = 0: must be an integer from 1 to 10000000",
    ),
    "placement-unknown": (
        change("load = 0.9", 'load = 0.9\nplacement = "hfds"'),
        (
            'case.toml:12: [traffic] placement = "hfds": must be "uniform", "hdfs", or a '
            'class of your own as "module:Class"'
        ),
    ),
    "hdfs-one-rack": (
        change("racks = 4", "racks = 1", change("load = 0.9", 'load = 0.9\nplacement = "hdfs"')),
        (
            'case.toml:12: [traffic] placement = "hdfs": needs at least 2 racks with room '
            "for 2 replicas, and there is 1; change cluster.racks, lower replicas, or set "
            'placement = "uniform"'
        ),
    ),
    "hdfs-small-racks": (
        change("load = 0.9", 'load = 0.9\nplacement = "hdfs"\nreplicas = 5'),
        (
            'case.toml:12: [traffic] placement = "hdfs": needs at least 2 racks with room '
            "for 4 replicas, and there are 0; change cluster.racks, lower replicas, or set "
            'placement = "uniform"'
        ),
    ),
    "hdfs-hot-servers-on-one-rack": (
        in_traffic("hot_servers = 6", 'hot_servers = 3\nplacement = "hdfs"', HOT),
        (
            'case.toml:13: [traffic] placement = "hdfs": needs at least 2 racks with room '
            "for 2 replicas among the hot servers (0 to 2), and there is 1; change "
            'cluster.racks, lower replicas, or set placement = "uniform"'
        ),
    ),
    "hdfs-other-servers-on-one-rack": (
        in_traffic("hot_servers = 6", 'hot_servers = 9\nplacement = "hdfs"', HOT),
        (
            'case.toml:13: [traffic] placement = "hdfs": needs at least 2 racks with room '
            "for 2 replicas among the servers that are not hot (from 9), and there is 1; "
            'change cluster.racks, lower replicas, or set placement = "uniform"'
        ),
    ),
    "policy-empty": (
        change('"priority"', '""'),
        'case.toml:13: [scheduler] policy = "": must be text in quotes, and not empty',
    ),
    "policy-missing": (
        change('policy = "priority"', "threshold = 2"),
        'case.toml:12: [scheduler] policy: missing; add for example policy = "priority"',
    ),
    "parameter-nan": (
        change('policy = "priority"', 'policy = "priority"\nthreshold = nan'),
        (
            "case.toml:14: [scheduler] threshold = nan: must be a number; nan is none. "
            "Leave the key out for the default"
        ),
    ),
    "parameter-date": (
        change('policy = "priority"', 'policy = "priority"\nthreshold = { since = 2020-01-01 }'),
        (
            "case.toml:14: [scheduler] threshold.since = 2020-01-01: must be a number, "
            "text, true or false, an array or a table; put it in quotes"
        ),
    ),
    "reading-unknown": (
        BASE + '[reading]\nqueue_length = "in_system"\n',
        (
            'case.toml:18: [reading] queue_length = "in_system": is not known. Did you mean'
            " 'in-system'? Known: in-system, waiting."
        ),
    ),
    "reading-number": (
        BASE + "[reading]\ntie_break = 1\n",
        'case.toml:18: [reading] tie_break = 1: must be one of "random", "local", "index"',
    ),
    "warmup-not-below-slots": (
        change("warmup = 10", "warmup = 100"),
        (
            "case.toml:16: [run] warmup = 100: must be less than run.slots (100), or "
            "nothing is left to measure; lower warmup or raise slots"
        ),
    ),
    "warmup-word": (
        change("warmup = 10", 'warmup = "none"'),
        (
            'case.toml:16: [run] warmup = "none": must be an integer of at least 0 (slots) '
            'or "auto" (this is text)'
        ),
    ),
    "replications-zero": (
        change("warmup = 10", "replications = 0"),
        "case.toml:16: [run] replications = 0: must be an integer of at least 1",
    ),
    "precision-percent": (
        change("warmup = 10", "precision = 1"),
        (
            "case.toml:16: [run] precision = 1: must be a number above 0 and below 1 (a fraction "
            "of the mean: 0.01 for 1 %)"
        ),
    ),
    "cap-without-precision": (
        change("warmup = 10", "max_replications = 20"),
        (
            "case.toml:16: [run] max_replications = 20: is the cap for precision, which is not "
            "given; add for example precision = 0.01, or set replications instead"
        ),
    ),
    "cap-below-replications": (
        change("warmup = 10", "max_replications = 3\nprecision = 0.1\nreplications = 8"),
        (
            "case.toml:16: [run] max_replications = 3: must be at least run.replications (8) and "
            "at least 2; raise it"
        ),
    ),
    "seed-negative": (
        change("warmup = 10", "seed = -1"),
        "case.toml:16: [run] seed = -1: must be an integer from 0 to 2**64 - 1",
    ),
    "seed-too-large": (
        change("warmup = 10", f"seed = {2**64}"),
        f"case.toml:16: [run] seed = {2**64}: must be an integer from 0 to 2**64 - 1 (too large)",
    ),
    "engine-unknown": (
        change("warmup = 10", 'engine = "numba"'),
        'case.toml:16: [run] engine = "numba": is not known. Known: auto, compiled, simpy.',
    ),
}


@pytest.mark.parametrize(("text", "line"), ONE_MISTAKE.values(), ids=ONE_MISTAKE)
def test_one_mistake_is_one_line_with_place_value_and_remedy(text: str, line: str) -> None:
    """A single mistake gives a single line that names file, line, key, value and remedy."""
    with pytest.raises(ScenarioError, match="^" + re.escape(line) + "$"):
        parse_scenario(text, "case.toml", check_scheduler=accept_any)


SYNTAX = {
    "bare-word": (
        change('"priority"', "priority"),
        'case.toml:13: column 10: expected a value; is priority meant as text? Write "priority"',
    ),
    "capital-true": (
        change('"priority"', "True"),
        "case.toml:13: column 10: expected a value; write true in lower case",
    ),
    "no-value": (
        change("slots = 100", "slots ="),
        (
            "case.toml:15: column 8: expected a value: a number, true, false, text in "
            "quotes, [a, b] or { key = value } (the line ends)"
        ),
    ),
    "no-equals": (
        change("slots = 100", "slots 100"),
        'case.toml:15: column 7: expected = after the key: write key = value (found "100")',
    ),
    "open-text": (
        change('"priority"', '"priority'),
        (
            "case.toml:13: column 19: expected text on one line; close the quotes before "
            "the line ends (the line ends)"
        ),
    ),
    "open-table": (
        change("[run]", "[run"),
        "case.toml:14: column 5: expected ] after the name of the table (the line ends)",
    ),
    "open-array": (
        BASE + "levels = [1, 2",
        "case.toml:17: column 15: expected a comma or ] in the array (the text ends)",
    ),
    "two-values": (
        change("slots = 100", "slots = 100 200"),
        'case.toml:15: column 13: expected the end of the line after the value (found "200")',
    ),
    "key-twice": (
        change("slots = 100", "slots = 100\nslots = 200"),
        "case.toml:16: column 12: this key is set already: keep one of them (the line ends)",
    ),
    "table-twice": (
        BASE + "[run]\n",
        (
            "case.toml:17: column 5: this table is declared already: keep one of them, with"
            ' all its keys (found "]")'
        ),
    ),
    "backslash": (
        change('"A cluster"', '"C:\\cluster"'),
        (
            "case.toml:1: column 14: expected \\\\ for a backslash; or put the text in '...' "
            '(found "luster\\"")'
        ),
    ),
    "wrong-start": (
        change("[run]", "}"),
        'case.toml:14: column 1: expected a key or a [table] at the start of the line (found "}")',
    ),
}


@pytest.mark.parametrize(("text", "line"), SYNTAX.values(), ids=SYNTAX)
def test_syntax_error_gives_line_column_and_expectation(text: str, line: str) -> None:
    """What is not TOML is reported with line, column and what was expected, in words."""
    with pytest.raises(InvalidScenarioError, match="^" + re.escape(line) + "$") as caught:
        parse_scenario(text, "case.toml")
    assert len(caught.value.problems) == 1


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file() -> None:
    """Mistakes of shape, of single values and between tables come in one report."""
    text = change("racks = 4", "racks = 40\nrack = 1")
    text = change("remote = 0.5", "remote = 0.9", text)
    text = change("load = 0.9", 'load = -1\nreplicas = 20\narrivals = "batch"', text)
    text = change("warmup = 10", 'warmup = 10\nseed = "1"', text)
    found = [(problem.line, problem.key) for problem in problems_of(text)]
    assert found == [
        (4, "cluster.racks"),
        (5, "cluster.rack"),
        (9, "service.remote"),
        (10, "traffic.batch_size"),
        (12, "traffic.load"),
        (13, "traffic.replicas"),
        (20, "run.seed"),
    ]


def test_missing_keys_of_types() -> None:
    """Each task type that lacks a key is reported at its own header."""
    text = change(TRAFFIC, 'kind = "types"\nload = 0.9\n[[traffic.types]]\n[[traffic.types]]')
    found = [(problem.line, problem.key) for problem in problems_of(text)]
    assert found == [
        (12, "traffic.types[0].replicas_on"),
        (12, "traffic.types[0].weight"),
        (13, "traffic.types[1].replicas_on"),
        (13, "traffic.types[1].weight"),
    ]


def test_unknown_kind_does_not_hide_other_mistakes() -> None:
    """With an unknown kind, values that are wrong for every kind are still reported."""
    text = change(TRAFFIC, 'kind = "hot"\nload = -1\nhot_servers = 1\nhot_servres = 2')
    assert [problem.key for problem in problems_of(text)] == [
        "traffic.kind",
        "traffic.load",
        "traffic.hot_servres",
    ]


def test_a_problem_carries_path_line_key_and_value() -> None:
    """The error's problems are records, so that a program need not read the text."""
    (problem,) = problems_of(change("servers = 12", "servers = -3"))
    assert (problem.path, problem.line, problem.key) == ("case.toml", 3, "cluster.servers")
    assert problem.value == -3
    assert problem.message == "must be an integer from 1 to 10000000"


def test_policy_parameters_are_checked_in_the_same_report() -> None:
    """What the check of the scheduler finds joins the other problems, with its line."""

    def refuse(policy: str, parameters: object) -> list[tuple[str, str]]:
        assert (policy, parameters) == ("priority", {"threshold": -1, "odd": {"deep": 2}})
        return [("threshold", "must be at least 0"), ("odd.deep", "must be odd")]

    text = change('"priority"', '"priority"\nthreshold = -1\nodd = { deep = 2 }')
    text = change("warmup = 10", "warmup = -1", text)
    with pytest.raises(InvalidScenarioError, match="must be at least 0") as caught:
        parse_scenario(text, "case.toml", check_scheduler=refuse)
    assert str(caught.value).splitlines() == [
        "case.toml:14: [scheduler] threshold = -1: must be at least 0",
        "case.toml:15: [scheduler] odd.deep = 2: must be odd",
        'case.toml:18: [run] warmup = -1: must be an integer of at least 0 (slots) or "auto"',
    ]


def test_an_error_of_the_policy_check_is_a_problem_of_the_policy() -> None:
    """A check that raises one of our errors does not escape the report."""

    def fail(policy: str, parameters: object) -> list[tuple[str, str]]:
        raise ScenarioError("no module named mine")

    with pytest.raises(InvalidScenarioError, match=r":13: \[scheduler\] policy = .*no module"):
        parse_scenario(BASE, "case.toml", check_scheduler=fail)


def test_the_registry_of_policies_checks_by_default() -> None:
    """Without a check of one's own the registry refuses a misspelt policy, with the nearest."""
    with pytest.raises(InvalidScenarioError, match=r":13: \[scheduler\] policy = .*'priority'"):
        parse_scenario(change('"priority"', '"prioritty"'), "case.toml")
