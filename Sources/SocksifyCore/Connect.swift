import CLibC
