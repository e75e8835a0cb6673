#include "CNgHTTP2.h"
