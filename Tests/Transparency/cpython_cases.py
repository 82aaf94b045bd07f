"""Runs the cases of one module of CPython's own test suite, and reports each of them as it begins and ends.

    python3 cpython_cases.py MODULE LIMIT REPORT < SELECTION

SELECTION is an object of JSON: `only`, patterns of the cases to run; `without`, those to leave out. REPORT is the
descriptor that takes one line of JSON for each event. A case that does not end within LIMIT seconds ends the process.
"""

import faulthandler
import fnmatch
import json
import os
import sys
import unittest
from test import support


def report(**event):
    os.write(REPORT, json.dumps(event).encode() + b"\n")


class Reporter(unittest.TestResult):
    """A class or module that cannot be set up is reported as a case of its own, under the name unittest gives it."""

    def startTest(self, test):
        super().startTest(test)
        self.outcome, self.why = "passed", ""
        report(began=test.id())
        faulthandler.dump_traceback_later(LIMIT, exit=True)

    def stopTest(self, test):
        super().stopTest(test)
        faulthandler.cancel_dump_traceback_later()
        report(ended=test.id(), outcome=self.outcome, why=self.why)

    def note(self, test, outcome, why):
        if isinstance(test, unittest.TestCase):
            # Whatever happens after a failure, the case has failed.
            if self.outcome != "failed":
                self.outcome, self.why = outcome, why
        else:
            report(ended=test.id(), outcome=outcome, why=why)

    def addError(self, test, err):
        self.note(test, "failed", self._exc_info_to_string(err, test))

    def addFailure(self, test, err):
        self.note(test, "failed", self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.note(test, "failed", f"{subtest}\n{self._exc_info_to_string(err, test)}")

    def addSkip(self, test, reason):
        self.note(test if not hasattr(test, "test_case") else test.test_case, "skipped", reason)

    def addUnexpectedSuccess(self, test):
        self.note(test, "failed", "an unexpected success")


def cases(suite):
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            yield from cases(entry)
        else:
            yield entry


def is_chosen(name, only, without):
    """Whether a case is to run, also as one of a class or module that could not be set up."""
    if name in without:
        return False
    scopes = {f"setUpClass ({name.rpartition('.')[0]})", f"setUpModule (test.{MODULE})"}
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in only) or not scopes.isdisjoint(only)


MODULE, LIMIT, REPORT = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
os.set_inheritable(REPORT, False)
selection = json.load(sys.stdin)
# There is no network but loopback; what takes much memory or disk says nothing about sockets.
support.use_resources = ["cpu", "walltime"]
# How long servers wait for clients that do not come.
support.SHORT_TIMEOUT = support.LOOPBACK_TIMEOUT
try:
    suite = unittest.defaultTestLoader.loadTestsFromName(f"test.{MODULE}")
    chosen = [case for case in cases(suite) if is_chosen(case.id(), selection["only"], selection["without"])]
    unittest.TestSuite(chosen).run(Reporter())
except unittest.SkipTest as reason:
    report(ended=f"test.{MODULE}", outcome="skipped", why=str(reason))
report(over=True)
# Threads of cases that failed may never end.
os._exit(0)
