"""Has Firefox load the page at URL, with a new profile in the home directory, and prints the address of what it shows,
which is another one for an error page, and the page's text. Firefox is told so by Marionette: commands and answers in
JSON, each after its length, at a port of the loopback."""
import json
import os
import socket
import subprocess
import sys
import time

profile = os.path.expanduser("~/profile")
os.mkdir(profile)
with open(f"{profile}/user.js", "w") as preferences:
    preferences.write('user_pref("marionette.port", 0);\n')
firefox = subprocess.Popen(
    ["firefox-esr", "--headless", "--marionette", "--profile", profile], stdin=subprocess.DEVNULL, stdout=sys.stderr)


def port():
    """The port that it has taken."""
    while firefox.poll() is None:
        try:
            with open(f"{profile}/MarionetteActivePort") as file:
                if text := file.read():
                    return int(text)
        except FileNotFoundError:
            pass
        time.sleep(0.02)
    sys.exit(f"Firefox ended with status {firefox.returncode}")


def receive():
    length = b""
    while (digit := connection.read(1)) != b":":
        length += digit or sys.exit("Firefox has closed the connection")
    return json.loads(connection.read(int(length)))


def call(command, **parameters):
    """The error that the command ends with, if any, and its result."""
    text = json.dumps([0, 1, command, parameters]).encode()
    connection.write(b"%d:%s" % (len(text), text))
    connection.flush()
    return receive()[2:]


def need(command, **parameters):
    error, result = call(command, **parameters)
    return result if error is None else sys.exit(f"{command}: {error['message']}")


LOOK = """
const [done] = arguments;
function look() {
    const text = document.body.innerText;
    if (text == "loading") setTimeout(look, 20); else done([document.documentURI, text]);
}
look();
"""
try:
    with socket.create_connection(("127.0.0.1", port())) as end, end.makefile("rwb") as connection:
        receive()  # its name and version
        # The test limits the time. With null here, Firefox would not wait for a script at all.
        need("WebDriver:NewSession", timeouts={"pageLoad": 10**8, "script": 10**8})
        # An error page is an error, too.
        call("WebDriver:Navigate", url=sys.argv[1])
        print(*need("WebDriver:ExecuteAsyncScript", script=LOOK, args=[])["value"], sep="\n")
        need("Marionette:Quit", flags=["eForceQuit"])
    sys.exit(firefox.wait())
finally:
    firefox.kill()
