#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define INITIAL_SLOTS 16
#define LOAD_PERCENT 70

struct slot {
    char *key;
    void *value;
    uint32_t hash;
};

struct table {
    struct slot *slots;
    size_t capacity;
    size_t used;
};

static uint32_t hash_key(const char *key)
{
    uint32_t hash = 2166136261u;
    while (*key) {
        hash ^= (unsigned char)*key++;
        hash *= 16777619u;
    }
    return hash;
}

struct table *table_new(void)
{
    struct table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    table->slots = calloc(INITIAL_SLOTS, sizeof *table->slots);
    if (table->slots == NULL) {
        free(table);
        return NULL;
    }
    table->capacity = INITIAL_SLOTS;
    return table;
}

static struct slot *find_slot(struct slot *slots, size_t capacity, const char *key, uint32_t hash)
{
    size_t index = hash & (capacity - 1);
    while (slots[index].key != NULL) {
        if (slots[index].hash == hash && strcmp(slots[index].key, key) == 0)
            return &slots[index];
        index = (index + 1) & (capacity - 1);
    }
    return &slots[index];
}

static int grow(struct table *table)
{
    size_t capacity = table->capacity * 2;
    struct slot *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL)
        return -1;
    for (size_t i = 0; i < table->capacity; i++) {
        struct slot *old = &table->slots[i];
        if (old->key != NULL)
            *find_slot(slots, capacity, old->key, old->hash) = *old;
    }
    free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
    return 0;
}

void *table_get(const struct table *table, const char *key)
{
    uint32_t hash = hash_key(key);
    return find_slot(table->slots, table->capacity, key, hash)->value;
}

int table_put(struct table *table, const char *key, void *value)
{
    if (table->used * 100 >= table->capacity * LOAD_PERCENT && grow(table) != 0)
        return -1;
    uint32_t hash = hash_key(key);
    struct slot *slot = find_slot(table->slots, table->capacity, key, hash);
    if (slot->key == NULL) {
        slot->key = strdup(key);
        if (slot->key == NULL)
            return -1;
        slot->hash = hash;
        table->used++;
    }
    slot->value = value;
    return 0;
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->capacity; i++)
        free(table->slots[i].key);
    free(table->slots);
    free(table);
}
