#include <ctype.h>
#include <string.h>

#include "names.h"

int name_valid(const char *name)
{
    if (!isalpha((unsigned char)name[0]))
        return 0;
    for (size_t i = 1; name[i] != '\0'; i++) {
        if (!isalnum((unsigned char)name[i]) && name[i] != '_')
            return 0;
    }
    return 1;
}

void name_lower(char *name)
{
    for (; *name; name++)
        *name = (char)tolower((unsigned char)*name);
}
