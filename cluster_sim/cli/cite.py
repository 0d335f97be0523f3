"""``cluster-sim cite``: what to cite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from cluster_sim.cli.endings import Status

__all__ = ["REFERENCES", "Reference", "cite"]


@dataclass(frozen=True)
class Reference:
    """A paper, as BibTeX wants it.

    Parameters
    ----------
    key, kind : str
        Citation key, and ``inproceedings`` or ``article``.
    authors : tuple of str
    title, venue : str
    year : int
    policies : tuple of str
        The policies that it describes.
    details : tuple of (str, str)
        Further BibTeX fields.
    """

    key: str
    kind: str
    authors: tuple[str, ...]
    title: str
    venue: str
    year: int
    policies: tuple[str, ...]
    details: tuple[tuple[str, str], ...] = ()

    def as_text(self) -> str:
        """Return the reference in a line."""
        details = "".join(f", {value}" for name, value in self.details if name != "number")
        issue = "".join(f"({value})" for name, value in self.details if name == "number")
        return (
            f"{', '.join(self.authors)}. {self.title}. {self.venue}{details}{issue}, {self.year}."
        )

    def as_bibtex(self) -> str:
        """Return the reference as a BibTeX entry."""
        where = "journal" if self.kind == "article" else "booktitle"
        fields = {
            "author": " and ".join(self.authors),
            "title": f"{{{self.title}}}",
            where: self.venue,
            "year": str(self.year),
            **dict(self.details),
        }
        return _entry(self.kind, self.key, fields)


REFERENCES = (
    Reference(
        "xie2015priority",
        "inproceedings",
        ("Qiaomin Xie", "Yi Lu"),
        "Priority Algorithm for Near-data Scheduling: Throughput and Heavy-Traffic Optimality",
        "IEEE INFOCOM",
        2015,
        ("priority",),
    ),
    Reference(
        "wang2013throughput",
        "article",
        ("Weina Wang", "Kai Zhu", "Lei Ying", "Jian Tan", "Li Zhang"),
        "A Throughput Optimal Algorithm for Map Task Scheduling in MapReduce with Data Locality",
        "ACM SIGMETRICS Performance Evaluation Review",
        2013,
        ("jsq-maxweight",),
        (("volume", "40"), ("number", "4")),
    ),
    Reference(
        "xie2016scheduling",
        "inproceedings",
        ("Qiaomin Xie", "Ali Yekkehkhany", "Yi Lu"),
        "Scheduling with Multi-level Data Locality: Throughput and Heavy-traffic Optimality",
        "IEEE INFOCOM",
        2016,
        ("maxweight", "balanced-pandas"),
    ),
    Reference(
        "yekkehkhany2017gbpandas",
        "article",
        ("Ali Yekkehkhany", "Avesta Hojjati", "Mohammad H. Hajiesmaili"),
        "GB-PANDAS: Throughput and Heavy-traffic Optimality Analysis for Affinity Scheduling",
        "arXiv:1709.08115",
        2017,
        ("balanced-pandas",),
    ),
    Reference(
        "moaddeli2019power",
        "article",
        ("Amir Moaddeli", "Iman Nabati Ahmadi", "Negin Abhar"),
        "The Power of d Choices in Scheduling for Data Centers with Heterogeneous Servers",
        "arXiv:1904.00447",
        2019,
        ("balanced-pandas-pod", "jsq-maxweight-pod"),
    ),
    Reference(
        "weng2020optimal",
        "article",
        ("Wentao Weng", "Xingyu Zhou", "R. Srikant"),
        "Optimal Load Balancing with Locality Constraints",
        "Proceedings of the ACM on Measurement and Analysis of Computing Systems",
        2020,
        ("jfsq", "jfiq"),
        (("volume", "4"), ("number", "3")),
    ),
    Reference(
        "lu2011join",
        "article",
        (
            "Yi Lu",
            "Qiaomin Xie",
            "Gabriel Kliot",
            "Alan Geller",
            "James R. Larus",
            "Albert Greenberg",
        ),
        "Join-Idle-Queue: A Novel Load Balancing Algorithm for Dynamically Scalable Web Services",
        "Performance Evaluation",
        2011,
        ("jiq",),
        (("volume", "68"), ("number", "11")),
    ),
    Reference(
        "rutten2023load",
        "article",
        ("Daan Rutten", "Debankur Mukherjee"),
        "Load Balancing Under Strict Compatibility Constraints",
        "Mathematics of Operations Research",
        2023,
        ("jsq-d",),
        (("volume", "48"), ("number", "1")),
    ),
    Reference(
        "cruise2020stability",
        "article",
        ("James Cruise", "Matthieu Jonckheere", "Seva Shneer"),
        "Stability of JSQ in Queues with General Server-Job Class Compatibilities",
        "Queueing Systems",
        2020,
        ("jsq-local",),
        (("volume", "95"),),
    ),
    Reference(
        "xie2012degree",
        "inproceedings",
        ("Qiaomin Xie", "Yi Lu"),
        "Degree-guided Map-reduce Task Assignment with Data Locality Constraint",
        "IEEE International Symposium on Information Theory (ISIT)",
        2012,
        ("random-local",),
    ),
    Reference(
        "zaharia2010delay",
        "inproceedings",
        (
            "Matei Zaharia",
            "Dhruba Borthakur",
            "Joydeep Sen Sarma",
            "Khaled Elmeleegy",
            "Scott Shenker",
            "Ion Stoica",
        ),
        "Delay Scheduling: A Simple Technique for Achieving Locality and Fairness in Cluster "
        "Scheduling",
        "European Conference on Computer Systems (EuroSys)",
        2010,
        ("delay", "fair"),
    ),
    Reference(
        "isard2009quincy",
        "inproceedings",
        (
            "Michael Isard",
            "Vijayan Prabhakaran",
            "Jon Currey",
            "Udi Wieder",
            "Kunal Talwar",
            "Andrew Goldberg",
        ),
        "Quincy: Fair Scheduling for Distributed Computing Clusters",
        "ACM Symposium on Operating Systems Principles (SOSP)",
        2009,
        ("quincy",),
    ),
    Reference(
        "ousterhout2013sparrow",
        "inproceedings",
        ("Kay Ousterhout", "Patrick Wendell", "Matei Zaharia", "Ion Stoica"),
        "Sparrow: Distributed, Low Latency Scheduling",
        "ACM Symposium on Operating Systems Principles (SOSP)",
        2013,
        ("sparrow",),
    ),
    Reference(
        "stolyar2004maxweight",
        "article",
        ("Alexander L. Stolyar",),
        "MaxWeight Scheduling in a Generalized Switch: State Space Collapse and Workload "
        "Minimization in Heavy Traffic",
        "Annals of Applied Probability",
        2004,
        ("maxweight-types",),
        (("volume", "14"), ("number", "1")),
    ),
    Reference(
        "mandelbaum2004scheduling",
        "article",
        ("Avishai Mandelbaum", "Alexander L. Stolyar"),
        "Scheduling Flexible Servers with Convex Delay Costs: Heavy-traffic Optimality of the "
        "Generalized c-mu Rule",
        "Operations Research",
        2004,
        ("generalised-c-mu",),
        (("volume", "52"), ("number", "6")),
    ),
    Reference(
        "harrison1998heavy",
        "article",
        ("J. Michael Harrison",),
        "Heavy Traffic Analysis of a System with Parallel Servers: Asymptotic Optimality of "
        "Discrete-review Policies",
        "Annals of Applied Probability",
        1998,
        ("discrete-review",),
        (("volume", "8"), ("number", "3")),
    ),
    Reference(
        "bell2001dynamic",
        "article",
        ("S. L. Bell", "R. J. Williams"),
        "Dynamic Scheduling of a System with Two Parallel Servers in Heavy Traffic with Resource "
        "Pooling: Asymptotic Optimality of a Threshold Policy",
        "Annals of Applied Probability",
        2001,
        ("bell-williams",),
        (("volume", "11"), ("number", "3")),
    ),
    Reference(
        "squillante2001threshold",
        "inproceedings",
        ("Mark S. Squillante", "Cathy H. Xia", "David D. Yao", "Li Zhang"),
        "Threshold-based Priority Policies for Parallel-server Systems with Affinity Scheduling",
        "American Control Conference",
        2001,
        ("squillante",),
    ),
    Reference(
        "yekkehkhany2020blind",
        "article",
        ("Ali Yekkehkhany", "Rakesh Nagi"),
        "Blind GB-PANDAS: A Blind Throughput-optimal Load Balancing Algorithm for Affinity "
        "Scheduling",
        "IEEE/ACM Transactions on Networking",
        2020,
        ("blind-gb-pandas",),
        (("volume", "28"), ("number", "3")),
    ),
)
"""The paper whose system this is, then those of the other policies."""


def cite(
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print BibTeX entries.")] = False,
) -> Status:
    """Print what to cite."""
    from cluster_sim import __version__

    if bibtex:
        print("\n\n".join([REFERENCES[0].as_bibtex(), _software(__version__)]))
        for reference in REFERENCES[1:]:
            print(f"\n{reference.as_bibtex()}")
        return Status.SUCCESS
    print("The system and the priority algorithm:")
    print(f"  {REFERENCES[0].as_text()}\n")
    print("The software:")
    print(f"  cluster_sim, an emulator of near-data scheduling, version {__version__}.\n")
    print("The other policies, if you ran them:")
    for reference in REFERENCES[1:]:
        print(f"  {', '.join(reference.policies)}: {reference.as_text()}")
    print("\n--bibtex prints the entries for BibTeX.")
    return Status.SUCCESS


def _software(version: str) -> str:
    return _entry(
        "misc",
        "cluster_sim",
        {
            "author": "{the cluster_sim developers}",
            "title": "{cluster_sim: an emulator of near-data scheduling}",
            "note": f"Version {version}",
        },
    )


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])
