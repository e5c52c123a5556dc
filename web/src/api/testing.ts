import { api } from './client'

/** Tests whether a server is reached as its connection says: logs in, asks the guard, changes nothing. */
export const testConnection = async (id: string) =>
  (await api.POST('/api/v1/connections/{id}/test', { params: { path: { id } } })).data

/** Sends a message through a channel that says it is a test. */
export const testChannel = async (id: string) =>
  (await api.POST('/api/v1/notification-channels/{id}/test', { params: { path: { id } } })).data
