"""qtwebengine.py ADDRESS: loads the page in QtWebEngine and prints its text, once that has "done" in it if it loads."""

import sys

from PyQt5.QtCore import QTimer, QUrl
from PyQt5.QtWebEngineWidgets import QWebEnginePage
from PyQt5.QtWidgets import QApplication

application = QApplication(["qtwebengine"])
page = QWebEnginePage()


def loaded(is_loaded):
    def judge(text):
        # The page continues its work after it is loaded.
        if is_loaded and sys.argv[1] != "about:blank" and "done" not in text:
            QTimer.singleShot(50, ask)
            return
        print(text)
        application.quit()

    def ask():
        page.toPlainText(judge)

    ask()


page.loadFinished.connect(loaded)
page.load(QUrl(sys.argv[1]))
application.exec()
# Without this the interpreter might destroy the profile before the page.
page.deleteLater()
application.processEvents()
