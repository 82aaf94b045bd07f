/* A library that is to be found. */
int found(void) {
    return 1;
}
