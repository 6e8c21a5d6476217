{{- define "watchbill.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "watchbill.selector" -}}
app.kubernetes.io/name: watchbill
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "watchbill.labels" -}}
{{ include "watchbill.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "watchbill.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "watchbill.secretName" -}}
{{- if .Values.secret.existing -}}
{{ .Values.secret.existing }}
{{- else if .Values.secret.create -}}
{{ include "watchbill.name" . }}
{{- else -}}
{{ fail "set secret.existing to the name of a Secret with DATABASE_URL, SLACK_BOT_TOKEN, SLACK_APP_TOKEN and WATCHBILL_SECRET, or secret.create to its contents" }}
{{- end -}}
{{- end -}}

{{- /* A setting as the text of a variable: lists are divided by commas, and 1000000 isn't 1e+06. */ -}}
{{- define "watchbill.text" -}}
{{- if kindIs "slice" . -}}
{{- $all := list -}}
{{- range . }}{{ $all = append $all (include "watchbill.text" .) }}{{ end -}}
{{- join "," $all -}}
{{- else if kindIs "map" . -}}
{{- fail "a setting is a text, a number, true, false, or a list of them" -}}
{{- else if kindIs "float64" . -}}
{{- if eq . (floor .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- else if not (kindIs "invalid" .) -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{- /* What the pods and the migration have in common: settings, secrets, where they run, and no rights. */ -}}
{{- define "watchbill.envFrom" -}}
envFrom:
  - secretRef:
      name: {{ include "watchbill.secretName" . }}
{{- end -}}

{{- define "watchbill.env" -}}
{{- with .Values.database.secret }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ . }}, key: {{ required "set database.key" $.Values.database.key }}}
{{- end }}
{{- range $name, $value := .Values.settings }}
{{- if has $name (list "WATCHBILL_LISTEN" "WATCHBILL_METRICS_LISTEN" "WATCHBILL_SPOOL") }}
{{- fail (printf "settings.%s: the chart sets this itself, since probes, services and volumes go by it; see service.port, metrics.port and spool" $name) }}
{{- end }}
- name: {{ $name }}
  value: {{ include "watchbill.text" $value | quote }}
{{- end }}
{{- end -}}

{{- define "watchbill.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "watchbill.probe" -}}
port: http{{ if ne .Values.probeScheme "HTTP" }}, scheme: {{ .Values.probeScheme }}{{ end }}
{{- end -}}

{{- define "watchbill.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65534
runAsGroup: 65534
fsGroup: 65534
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "watchbill.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
