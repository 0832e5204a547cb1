/* Valid clicks by tenant: how many there are in a time. */
#ifndef CM_INDEX_TENANT_INDEX_H
#define CM_INDEX_TENANT_INDEX_H

#include "index/list.h"

/** Made by cm_tenants_init. One writer, or any number of readers. */
typedef struct cm_tenant_index {
    cm_lists lists;
    cm_list *of; /* by tenant number */
    size_t count, capacity;
} cm_tenant_index;

void cm_tenants_init(cm_tenant_index *index, const cm_click_store *store);
void cm_tenants_destroy(cm_tenant_index *index);

/** Make sure that a click can be added to a tenant's list. */
cm_status cm_tenants_reserve(cm_tenant_index *index, uint32_t tenant, cm_error *error);

size_t cm_tenants_memory(const cm_tenant_index *index);

#endif
